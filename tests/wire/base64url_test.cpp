#include "wire/base64url.h"

#include <optional>
#include <utility>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;

namespace {

std::string encoded(std::string_view bytes) {
  std::string text;
  encode_base64url(bytes, text);
  return text;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string bytes;
  if (!decode_base64url(text, bytes)) return std::nullopt;
  return bytes;
}

}  // namespace

// RFC 4648, section 10, without the padding.
TEST_CASE("base64url is what everybody's is") {
  const std::vector<std::pair<std::string, std::string>> known = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
  for (const auto& [bytes, text] : known) {
    CHECK(encoded(bytes) == text);
    CHECK(encoded(bytes).size() == base64url_size(bytes.size()));
    CHECK(decoded(text) == bytes);
  }
}

TEST_CASE("base64url brings every byte back") {
  std::string bytes;
  for (int c = 0; c < 256; ++c) {
    bytes += static_cast<char>(c);
    CHECK(decoded(encoded(bytes)) == bytes);
  }
}

TEST_CASE("base64url refuses what its encoder would not write") {
  for (const char* text :
       {"Zg==", "Zm9v+/", "Zm 9v", "Zm9vY", "Zm9vA", "Z", "A", "Zh", "Zm9", "Zm9v\n", "Zm9v\xff"}) {
    INFO(text);
    CHECK_FALSE(decoded(text).has_value());
  }
}
