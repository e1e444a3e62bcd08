// What a launcher plugin says, and what it is told: whatever bytes come, they are
// taken or refused, and what was taken comes back as it was when it is sent again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "launcher/plugin/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view line(reinterpret_cast<const char*>(data), size);
  auto said = tenkai::parse_from_plugin(line);
  if (said && said->news) {
    auto again = tenkai::parse_from_plugin(tenkai::encode(*said->news));
    if (!again || !again->news || !(*again->news == *said->news)) std::abort();
  }
  auto call = tenkai::parse_call(line);
  if (call) {
    std::string sent = tenkai::encode(*call);
    if (sent.find('\n') != sent.npos) std::abort();
    auto again = tenkai::parse_call(sent);
    if (!again || tenkai::encode(*again) != sent) std::abort();
  }
  return 0;
}
