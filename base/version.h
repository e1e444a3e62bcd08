// Which version this is, and with which ones it works together (docs/releasing.md).
#pragma once

#include <cstddef>
#include <string_view>

namespace tenkai {

// "MAJOR.MINOR.PATCH", as CMakeLists.txt says it. The R package has its own, in DESCRIPTION.
extern const std::string_view program_version;

namespace detail {

constexpr bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace detail

// "0.1." of "0.1.3"; nothing of what is no version.
constexpr std::string_view release_of(std::string_view version) {
  std::size_t first = version.find('.');
  std::size_t second = first == version.npos ? first : version.find('.', first + 1);
  if (second == version.npos || !detail::is_number(version.substr(0, first)) ||
      !detail::is_number(version.substr(first + 1, second - first - 1)) ||
      !detail::is_number(version.substr(second + 1))) {
    return {};
  }
  return version.substr(0, second + 1);
}

// Patch versions of one MAJOR.MINOR work together, in any mixture.
constexpr bool works_with(std::string_view own, std::string_view theirs) {
  return !release_of(own).empty() && release_of(own) == release_of(theirs);
}

}  // namespace tenkai
