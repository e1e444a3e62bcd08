// What the system refused, in the words R users know: "10 | Address in use".
//
// The numbers and texts are those of NNG, which scripts written for mirai match on
// (see the table of error values in docs). What follows them is ours: what was
// tried, on what, and what to do.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>

namespace tenkai {

std::string failure_text(const boost::system::error_code& failed);

}  // namespace tenkai
