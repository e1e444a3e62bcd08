// What went wrong, as a number, with the words that go with it.
//
// Numbers and texts are those of NNG, which scripts written for mirai match on. R has its
// error values from here, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenkai {

enum class Code : std::uint8_t {
  none,
  interrupted,
  out_of_memory,
  invalid_argument,
  busy,
  timed_out,
  refused,
  closed,
  try_again,
  not_supported,
  address_in_use,
  incorrect_state,
  not_found,
  protocol_error,
  unreachable,
  address_invalid,
  permission_denied,
  too_large,
  aborted,
  reset,
  cancelled,
  out_of_files,
  out_of_space,
  exists,
  read_only,
  write_only,
  cryptographic_error,
  peer_unknown,
  needs_argument,
  ambiguous_option,
  incorrect_type,
  shut_down,
};

namespace detail {

inline constexpr std::string_view error_texts[] = {
    "Success",
    "Interrupted",
    "Out of memory",
    "Invalid argument",
    "Resource busy",
    "Timed out",
    "Connection refused",
    "Object closed",
    "Try again",
    "Not supported",
    "Address in use",
    "Incorrect state",
    "Entry not found",
    "Protocol error",
    "Destination unreachable",
    "Address invalid",
    "Permission denied",
    "Message too large",
    "Connection aborted",
    "Connection reset",
    "Operation canceled",
    "Out of files",
    "Out of space",
    "Resource already exists",
    "Read only resource",
    "Write only resource",
    "Cryptographic error",
    "Peer could not be authenticated",
    "Option requires argument",
    "Ambiguous option",
    "Incorrect type",
    "Connection shutdown",
};
static_assert(sizeof error_texts / sizeof error_texts[0] == static_cast<std::size_t>(Code::shut_down) + 1,
              "each code has its text");

}  // namespace detail

// "19 | Connection reset". Whatever number comes from elsewhere has a text.
inline std::string text_of_code(std::uint64_t code) {
  constexpr std::uint64_t internal = 1000;
  std::string_view text = "Unknown error";
  if (code == internal) text = "Internal error detected";
  else if (code > 0 && code <= static_cast<std::uint64_t>(Code::shut_down)) text = detail::error_texts[code];
  return std::to_string(code) + " | " + std::string(text);
}
inline std::string text_of(Code code) { return text_of_code(static_cast<std::uint64_t>(code)); }

}  // namespace tenkai
