#include "launcher/plugin/environment_command.h"

#include <algorithm>
#include <string_view>

#include "launcher/template/environment.h"

namespace tenkai {
namespace {

// What the set-up calls: here nobody reads a status file, and standard error is heard.
constexpr std::string_view functions =
    "write_status() { :; }\n"
    "fail() { printf 'tenkai: %s\\n' \"$2\" >&2; exit \"${3:-1}\"; }\n";

}  // namespace

Result<std::vector<std::string>> in_environment(std::vector<std::string> command,
                                                const LaunchRequest& request) {
  TemplateValues values;
  for (const auto& [name, texts] : request.options) {
    if (name.starts_with("environment.") || name == "threads") values[name] = texts;
  }
  // How many processors a daemon has only a batch system knows.
  if (auto threads = values.find("threads");
      threads != values.end() && threads->second == std::vector<std::string>{"auto"}) {
    values.erase(threads);
  }
  bool changes = std::any_of(values.begin(), values.end(),
                             [](const auto& each) { return each.first != "environment.rscript"; });
  if (!changes) return command;
  values["environment.rscript"] = {command.front()};
  Result<std::string> script = environment_script(values);
  if (!script) return script.error();
  std::vector<std::string> all = {
      "bash", "-c", std::string(functions) + *script + "\nexec \"${container[@]}\" \"$@\"\n", "tenkai"};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

}  // namespace tenkai
