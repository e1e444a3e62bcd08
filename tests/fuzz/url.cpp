// Any text: either refused with a sentence, or a URL that survives being written
// and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "base/url.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// A message reaches terminals and logs.
bool is_one_clean_line(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return !text.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto url = tenkai::parse_url(text);
  if (!url) {
    require(is_one_clean_line(url.error().message) && url.error().message.size() < 2048);
    return 0;
  }
  std::string written = tenkai::to_string(*url);
  auto again = tenkai::parse_url(written);
  require(again.has_value() && *again == *url);
  require(tenkai::printable(written, tenkai::max_url) == written || !tenkai::is_network(*url));
  require(!(tenkai::is_loopback(*url) && url->host.empty()));

  auto spread = tenkai::expand_urls({*url}, 3);
  if (!spread) {
    require(is_one_clean_line(spread.error().message));
    return 0;
  }
  for (const tenkai::Url& one : *spread) require(tenkai::parse_url(tenkai::to_string(one)).has_value());
  return 0;
}
