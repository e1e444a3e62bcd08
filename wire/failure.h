// What the system refused, as one of the codes that R users know.
//
// What follows its text is ours: what was tried, on what, and what to do.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>

#include "base/error_code.h"
#include "base/result.h"

namespace tenkai {

// "10 | Address in use"; where there is no code for it, the words of the system.
Error failure_of(const boost::system::error_code& failed);

// `detail` in words that stand behind the text of the code.
Error in_detail(Code code, const std::string& detail);

// Whoever took the call closed it, before anything was settled.
bool is_hang_up(const boost::system::error_code& failed);

}  // namespace tenkai
