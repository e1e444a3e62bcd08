// The request `launch_remote`: whatever bytes come, they become a launch plan that keeps its
// promises or are refused, and any text fits into a line of it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/lines.h"
#include "launcher/launch/launch_plan.h"

using namespace tenkai;

namespace {

void hold(bool promise) {
  if (!promise) std::abort();
}

void look_at(const LaunchPlan& plan, const LaunchPlan::Part& part) {
  hold(!part.slots.empty() && part.slots.size() == part.streams.size());
  for (std::size_t slot : part.slots) hold(slot < 8);
  std::vector<std::string> command = command_of(plan, part, {"ws://h:1/1"}, "stdin");
  hold(command.size() == 3 && command[2].starts_with("tenkai::"));
  std::string lines = manifest_lines(plan, part, {"ws://h:1/1"});
  auto memory = part.options.find("limits.memory");
  hold(lines.starts_with("memory=") == (memory != part.options.end() && !memory->second.empty()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string line = escape_line(text);
  hold(line.find_first_of("\n\r\t") == line.npos && unescape_line(line) == text);
  Result<LaunchArguments> arguments = parse_launch_arguments(text, 8);
  if (!arguments) return 0;
  Result<LaunchArguments> again = parse_launch_arguments(to_lines(*arguments), 8);
  // For daemons of this machine nothing else travels.
  bool has_plugin = arguments->configuration && !arguments->configuration->plugin.empty();
  hold(again && (*again == *arguments || (arguments->configuration && !has_plugin)));
  LaunchSession session;
  session.deployment = arguments->configuration;
  session.spare = arguments->by_hand ? 4 : 0;
  if (session.deployment && session.spare > 0) session.scale = session.deployment->scale;
  std::vector<Url> urls(8, *parse_url("ws://127.0.0.1:5/a"));
  auto streams = [](std::size_t count) { return std::vector<RandomStream>(count); };
  Result<LaunchPlan> plan = make_plan(*arguments, session, urls, streams);
  if (!plan) return 0;
  for (const LaunchPlan::Part& part : plan->parts) look_at(*plan, part);
  if (plan->spare) look_at(*plan, *plan->spare);
  return 0;
}
