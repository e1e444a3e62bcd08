#include <string>
#include <vector>

#include "base/text.h"
#include "cli/completion.h"

namespace tenkai {
namespace {

using Words = std::vector<std::string>;

// Functions of bash 4. What follows an option that takes a value is not looked at; what follows
// the first word of a command with a rest is not ours.
constexpr const char* bash_head = R"sh(# Completion in bash, as `tenkai completion bash` prints it.
# shellcheck shell=bash

# What the program itself knows, such as the names of profiles.
_tenkai_values() { "${COMP_WORDS[0]/#\~/$HOME}" values "$1" 2>/dev/null; }

# What the word can become, among the lines that come in.
_tenkai_take() {
  local value
  while IFS=$'\t' read -r value _; do
    if [[ $value == "$1"* ]]; then COMPREPLY+=("$value"); fi
  done
}

# _tenkai_paths HOW WORD: files (-f), folders (-d) or programs (-c).
_tenkai_paths() {
  if [ "$1" != -c ]; then compopt -o filenames 2>/dev/null; fi
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_tenkai() {
  local word=${COMP_WORDS[COMP_CWORD]} called=tenkai option='' rest='' each i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    each=${COMP_WORDS[i]}
    if [ -n "$option" ]; then
      if [ "$each" != = ]; then option=''; fi
      continue
    fi
)sh";

std::string arm(const Words& patterns, const std::string& what) {
  if (patterns.empty()) return "";
  Words quoted;
  for (const std::string& each : patterns) quoted.push_back("'" + each + "'");
  return "      " + join(quoted, " | ") + ") " + what + " ;;\n";
}

// What completes it; empty where nothing does.
std::string code_of(const CompletedValue& value) {
  using Kind = CompletedValue::Kind;
  Words quoted;
  switch (value.kind) {
    case Kind::nothing: return "";
    case Kind::choices:
      for (const std::string& each : value.choices) quoted.push_back(shell_quote(each));
      return "_tenkai_take \"$word\" < <(printf '%s\\n' " + join(quoted, " ") + ")";
    case Kind::asked: return "_tenkai_take \"$word\" < <(_tenkai_values " + value.asked + ")";
    case Kind::files: return "_tenkai_paths -f \"$word\"";
    case Kind::folders: return "_tenkai_paths -d \"$word\"";
    case Kind::programs: return "_tenkai_paths -c \"$word\"";
  }
  return "";
}

bool takes_value(const ShownOption& option) { return !option.value.empty() || !option.choices.empty(); }

// The loop over what stands before: which command this is, and which option waits for a value.
std::string walk(const std::vector<const ShownCommand*>& all) {
  Words commands;
  Words options;
  std::string rests;
  for (const ShownCommand* command : all) {
    if (command->called != all.front()->called) commands.push_back(command->called);
    for (const ShownOption& each : command->options) {
      if (!takes_value(each)) continue;
      for (const std::string& name : each.names) options.push_back(command->called + " " + name);
    }
    if (!command->rest.empty())
      rests += "      '" + command->called + " -'*) ;;\n      '" + command->called + " '*) rest=yes ;;\n";
  }
  return "    if [ -n \"$rest\" ]; then break; fi\n    case \"$called $each\" "
         "in\n" +
         arm(commands, "called=\"$called $each\"") + arm(options, "option=\"$called $each\"") + rests +
         "    esac\n  done\n";
}

std::string values_of_options(const std::vector<const ShownCommand*>& all) {
  std::string arms;
  for (const ShownCommand* command : all) {
    for (const ShownOption& each : command->options) {
      std::string code = code_of(completed_value(each));
      if (code.empty()) continue;
      Words called;
      for (const std::string& name : each.names) called.push_back(command->called + " " + name);
      arms += arm(called, code);
    }
  }
  return "  if [ -n \"$option\" ]; then\n    if [ \"$word\" = = ]; then word=''; fi\n    case $option in\n" +
         arms + "    esac\n    return\n  fi\n";
}

std::string names_of_options(const std::vector<const ShownCommand*>& all) {
  std::string arms;
  for (const ShownCommand* command : all) {
    CompletedValue names{CompletedValue::Kind::choices, {}, ""};
    for (const ShownOption& each : command->options)
      names.choices.insert(names.choices.end(), each.names.begin(), each.names.end());
    arms += arm({command->called}, code_of(names));
  }
  return "  if [[ $word == -* ]] && [ -z \"$rest\" ]; then\n    case $called in\n" + arms +
         "    esac\n    return\n  fi\n";
}

// What is no option: commands, an argument, or what follows.
std::string code_of_words(const ShownCommand& command) {
  CompletedValue value;
  if (!command.commands.empty()) value.kind = CompletedValue::Kind::choices;
  for (const ShownCommand& each : command.commands) value.choices.push_back(name_of(each));
  if (!command.arguments.empty()) value = completed_value(command.arguments.front());
  if (command.rest.empty()) return code_of(value);
  std::string first = code_of(completed_value(command.rest.front()));
  if (first.empty()) return "";
  return "if [ -z \"$rest\" ]; then " + first + "; else _tenkai_paths -f \"$word\"; fi";
}

}  // namespace

std::string bash_completion(const ShownCommand& program) {
  std::vector<const ShownCommand*> all = all_commands(program);
  std::string script = bash_head + walk(all) + values_of_options(all) + names_of_options(all);
  std::string arms;
  for (const ShownCommand* command : all) {
    std::string code = code_of_words(*command);
    if (!code.empty()) arms += arm({command->called}, code);
  }
  return script + "  case $called in\n" + arms + "  esac\n}\n\ncomplete -F _tenkai tenkai\n";
}

}  // namespace tenkai
