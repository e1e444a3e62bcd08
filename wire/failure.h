// What the system refused, as one of the codes that R users know.
//
// What follows its text is ours: what was tried, on what, and what to do.
#pragma once

#include <boost/system/error_code.hpp>

#include "base/result.h"

namespace tenkai {

// "10 | Address in use"; where there is no code for it, the words of the system.
Error failure_of(const boost::system::error_code& failed);

}  // namespace tenkai
