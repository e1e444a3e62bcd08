// Numbers of daemons, as people read them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tenkai {

// "1-3, 5"; two in a row are such a range, too.
std::string list_of(const std::vector<std::size_t>& numbers);

// "daemon 3", "daemons 1-3, 5"
std::string daemons_in_words(const std::vector<std::size_t>& numbers);

}  // namespace tenkai
