// How many of something, in words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tenkai {

// "1 daemon", "2 daemons"; `many` where that is not `one` with an s.
inline std::string counted(std::size_t count, std::string_view one, std::string_view many = {}) {
  std::string text = std::to_string(count) + " ";
  if (count == 1) return text.append(one);
  return many.empty() ? text.append(one) + "s" : text.append(many);
}

}  // namespace tenkai
