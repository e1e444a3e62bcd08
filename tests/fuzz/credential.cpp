// Any text: either refused with a sentence that shows none of it, or a credential
// that is encoded to what was read. No memory is taken but for what came.
//
// A first byte 'f' means that what follows are the fields of a credential, to be
// given magic, version and checksum, which no fuzzer would guess; otherwise it is
// the text.
#include <openssl/sha.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/fuzz/largest_block.h"
#include "wire/base64url.h"
#include "wire/credential.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string line_of(std::string_view fields) {
  std::string bytes = "tenkai\1" + std::string(fields);
  unsigned char digest[SHA256_DIGEST_LENGTH] = {};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  bytes.append(reinterpret_cast<const char*>(digest), 4);
  std::string line;
  tenkai::encode_base64url(bytes, line);
  return line;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// None of our words is long enough to be taken for a piece of a credential.
bool shows_nothing(std::string_view message) {
  std::size_t run = 0;
  for (char c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) return false;
    run = is_digit(c) ? run + 1 : 0;
    if (run >= 16) return false;
  }
  return !message.empty() && message.size() < 512;
}

void check(std::string_view text) {
  tenkai::LargestBlock largest;
  auto credential = tenkai::parse_credential(text);
  // Messages and a few urls take a page; the rest is as long as the text.
  require(largest.size() <= 4096 + 2 * text.size());
  if (!credential) {
    require(shows_nothing(credential.error().message));
    return;
  }
  std::string line;
  for (char c : text) {
    if (!is_space(c)) line += c;
  }
  require(tenkai::check_credential(*credential).has_value());
  require(tenkai::encode(*credential) == line);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    require(tenkai::may_begin_credential(text.substr(0, size)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'f') {
    check(line_of(rest));
  } else {
    check(rest);
  }
  return 0;
}
