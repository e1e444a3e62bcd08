#include "cli/completion.h"

#include <map>
#include <string_view>

namespace tenkai {

CompletedValue completed_value(const std::string& name) {
  using Kind = CompletedValue::Kind;
  std::string_view word = name;
  while (!word.empty() && std::string_view("[].").find(word.back()) != std::string_view::npos)
    word.remove_suffix(1);
  while (word.starts_with('[')) word.remove_prefix(1);
  static const std::map<std::string_view, CompletedValue> known{
      {"PROFILE", {Kind::asked, {}, "profile"}}, {"LAUNCHER", {Kind::asked, {}, "launcher"}},
      {"PID", {Kind::asked, {}, "pid"}},         {"FILE", {Kind::files, {}, ""}},
      {"SCRIPT", {Kind::files, {}, ""}},         {"ARGUMENTS", {Kind::files, {}, ""}},
      {"FOLDER", {Kind::folders, {}, ""}},       {"PROGRAM", {Kind::programs, {}, ""}},
      {"COMMAND", {Kind::programs, {}, ""}}};
  auto found = known.find(word);
  return found == known.end() ? CompletedValue() : found->second;
}

CompletedValue completed_value(const ShownOption& option) {
  if (!option.choices.empty()) return {CompletedValue::Kind::choices, option.choices, ""};
  return completed_value(option.value);
}

std::vector<const ShownCommand*> all_commands(const ShownCommand& program) {
  std::vector<const ShownCommand*> all{&program};
  for (const ShownCommand& each : program.commands) {
    std::vector<const ShownCommand*> below = all_commands(each);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

}  // namespace tenkai
