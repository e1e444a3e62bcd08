// The request `launch_remote`: whatever bytes come, they are a launch plan that keeps its
// promises or refused, and any text fits into a line of it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/random_stream.h"
#include "base/text.h"
#include "launcher/launch_plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string line = tenkai::escape_line(text);
  if (line.find_first_of("\n\r\t") != line.npos || tenkai::unescape_line(line) != text) std::abort();
  auto plan = tenkai::parse_launch_plan(text, 8);
  if (!plan) return 0;
  std::vector<tenkai::LaunchPlan::Part> parts = plan->parts;
  if (plan->spare) parts.push_back(*plan->spare);
  for (const auto& part : parts) {
    if (part.slots.empty() || part.slots.size() != part.calls.size()) std::abort();
    for (std::size_t slot : part.slots) {
      if (slot >= 8) std::abort();
    }
    if (tenkai::command_of(*plan, part, {"ws://h:1/1"}, "stdin").size() != 3) std::abort();
    for (const std::string& call : part.calls) tenkai::with_substream(call, 2);
    std::string lines = tenkai::manifest_lines(part, {"ws://h:1/1"});
    auto memory = part.options.find("limits.memory");
    bool is_limited = memory != part.options.end() && !memory->second.empty();
    if (lines.starts_with("memory=") != is_limited) std::abort();
  }
  auto again = tenkai::parse_launch_plan(tenkai::to_text(*plan), 8);
  if (!again || !(*again == *plan)) std::abort();
  return 0;
}
