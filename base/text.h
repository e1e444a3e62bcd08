// Small questions about text that every room asks.
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace tenkai {

// The pieces between the separators, empty ones too: "a,,b" has three, "" has one.
// They are views of `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

// Without spaces, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

// "a, b, c"
std::string join(const std::vector<std::string>& pieces, std::string_view separator);

// The whole text as a decimal number: no sign but '-' for signed types, no
// space, nothing behind it, and it must fit. Otherwise nothing.
template <class Number>
std::optional<Number> to_number(std::string_view text) {
  static_assert(std::is_integral_v<Number> && !std::is_same_v<Number, bool>);
  Number number{};
  const char* end = text.data() + text.size();
  auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return number;
}

// "90 s", "1.5 s"
std::string in_seconds(std::chrono::milliseconds time);

// One word for a POSIX shell, whatever bytes it holds (but NUL, which no
// argument can carry). Words that need no quotes get none.
std::string shell_quote(std::string_view word);

// Cuts the front of `text`, where it is longer than `limit` bytes, so that whole lines
// are left. If the last line alone is longer, its end is kept, without the word that the
// cut goes through: half a secret would not be known for one any more.
void keep_last_lines(std::string& text, std::size_t limit);

// For logs and messages: control bytes, and bytes that are not valid UTF-8, become
// \n, \t, \x1b and the like; a text longer than `limit` bytes is cut and ends in "…".
// What a stranger sent can then neither forge a line nor steer a terminal.
std::string printable(std::string_view text, std::size_t limit = 200);

// Where the first byte stands that is not valid UTF-8, or the first control character
// but tab and line end ("\r\n" is one, too). Nothing where all is text.
std::optional<std::size_t> find_unprintable(std::string_view text);

// The same for text of several lines, which stay, and of any length.
std::string printable_lines(std::string_view text);

}  // namespace tenkai
