#include "launcher/launch/launch_arguments.h"

#include <utility>

#include "base/lines.h"
#include "base/text.h"

namespace tenkai {
namespace {

constexpr std::size_t max_daemons = 100'000;  // of one request

Error bad(std::string_view key, const std::string& value) {
  return Error{"'" + printable(std::string(key) + "=" + value) +
               "' says nothing of a launch; are R package and program of one version?"};
}

Result<Done> read_slot(const std::string& value, std::size_t slots, LaunchArguments& arguments) {
  auto number = to_number<std::size_t>(value);
  if (!number || *number < 1 || *number > slots) return Error{"there is no slot " + printable(value, 20)};
  if (arguments.slots.size() == max_daemons) return Error{"more than 100000 daemons at once"};
  arguments.slots.push_back(*number - 1);
  return Done{};
}

Result<Done> read_configuration(const std::string& value, LaunchArguments& arguments) {
  Result<Deployment> deployment = parse_deployment(value);
  if (!deployment) return deployment.error();
  arguments.configuration = std::move(*deployment);
  return Done{};
}

}  // namespace

Result<LaunchArguments> parse_launch_arguments(std::string_view text, std::size_t slots) {
  LaunchArguments arguments;
  auto read = [&](std::string_view key, const std::string& value) -> Result<Done> {
    if (key == "slot") return read_slot(value, slots, arguments);
    if (key == "configuration") return read_configuration(value, arguments);
    Result<bool> known = read_daemon_field(key, value, arguments.daemon);
    if (!known) return known.error();
    bool* flag = key == "usual"     ? &arguments.usual
                 : key == "dry"     ? &arguments.dry
                 : key == "by_hand" ? &arguments.by_hand
                                    : nullptr;
    if (!*known && (flag == nullptr || value != "1")) return bad(key, value);
    if (flag != nullptr) *flag = true;
    return Done{};
  };
  Result<Done> good = read_lines(text, read);
  if (!good) return good.error();
  if (!arguments.usual && arguments.slots.empty()) return Error{"there is nothing to launch"};
  if (!arguments.usual && !arguments.configuration) return Error{"nothing says how to launch"};
  return arguments;
}

std::string to_lines(const LaunchArguments& arguments) {
  std::string lines = to_lines(arguments.daemon);
  if (arguments.usual) lines += line_of("usual", "1");
  if (arguments.dry) lines += line_of("dry", "1");
  if (arguments.by_hand) lines += line_of("by_hand", "1");
  if (arguments.configuration) lines += line_of("configuration", to_lines(*arguments.configuration));
  for (std::size_t slot : arguments.slots) lines += line_of("slot", std::to_string(slot + 1));
  return lines;
}

}  // namespace tenkai
