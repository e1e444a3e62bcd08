// Bytes as letters, digits, '-' and '_' (RFC 4648, section 5), without padding.
//
// Strict: there is one text for each sequence of bytes, and any other is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tenkai {

// The length of the text for so many bytes.
constexpr std::size_t base64url_size(std::size_t bytes) { return (bytes * 4 + 2) / 3; }

// Appends the text to `text`.
void encode_base64url(std::string_view bytes, std::string& text);

// Appends the bytes to `bytes`. False, with some of them appended, where the text
// holds another character, breaks off within a byte, or ends in bits that no
// encoder leaves.
bool decode_base64url(std::string_view text, std::string& bytes);

}  // namespace tenkai
