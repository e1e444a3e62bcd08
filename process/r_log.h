// What R has written before it ended.
#pragma once

#include <string_view>

namespace tenkai {

// Whether R found no package tenkai in its libraries: another start would not help.
bool misses_package(std::string_view log);

}  // namespace tenkai
