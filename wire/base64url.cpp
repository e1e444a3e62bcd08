#include "wire/base64url.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tenkai {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (std::uint8_t& value : values) value = no_digit;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> values = make_values();

}  // namespace

// Groups of three bytes are four digits; a last group of one or two bytes is two
// or three, the missing bits being zero.
void encode_base64url(std::string_view bytes, std::string& text) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i <= count; ++i) text += digits[bits >> (18 - 6 * i) & 63];
  }
}

bool decode_base64url(std::string_view text, std::string& bytes) {
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::size_t count = std::min<std::size_t>(4, text.size() - at);
    if (count == 1) return false;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      std::uint8_t value = i < count ? values[static_cast<unsigned char>(text[at + i])] : std::uint8_t{0};
      if (value == no_digit) return false;
      bits = bits << 6 | value;
    }
    for (std::size_t i = 0; i + 1 < count; ++i) bytes += static_cast<char>(bits >> (16 - 8 * i));
    // What is left below the last whole byte.
    std::uint32_t rest = bits & (0xFFFFFFu >> (8 * (count - 1)));
    if (rest != 0) return false;
  }
  return true;
}

}  // namespace tenkai
