#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.h"
#include "cli/completion.h"

namespace tenkai {
namespace {

constexpr const char* zsh_head = R"sh(#compdef tenkai
# Completion in zsh, as `tenkai completion zsh` prints it.

# What the program itself knows, such as the names of profiles.
_tenkai_values() {
  local -a found
  found=(${(f)"$($tenkai_program values $1 2>/dev/null)"})
  found=(${found//:/\\:})
  found=(${found/$'\t'/:})
  _describe -t values $1 found
}

)sh";

// A word in single quotes.
std::string zsh_word(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Within [...] and before ':' these would end it.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string function_of(const ShownCommand& command) {
  std::string name = "_" + command.called;
  std::ranges::replace(name, ' ', '_');
  return name;
}

std::string action_of(const CompletedValue& value) {
  using Kind = CompletedValue::Kind;
  switch (value.kind) {
    case Kind::nothing: return " ";
    case Kind::choices: return "(" + join(value.choices, " ") + ")";
    // The blank: what stands there is called as it is.
    case Kind::asked: return " _tenkai_values " + value.asked;
    case Kind::files: return "_files";
    case Kind::folders: return "_files -/";
    case Kind::programs: return "_command_names -e";
  }
  return " ";
}

std::string line_of(const std::string& spec) { return " \\\n    " + zsh_word(spec); }

std::string specs_of(const ShownOption& option) {
  std::string specs;
  bool takes_value = !option.value.empty() || !option.choices.empty();
  for (const std::string& name : option.names) {
    std::string spec = option.is_repeated ? "*" : "";
    if (option.names.size() > 1) spec += "(" + join(option.names, " ") + ")";
    spec += name + (takes_value ? "=" : "") + "[" + escaped(option.about) + "]";
    if (takes_value) {
      std::string message = option.value.empty() ? "value" : escaped(option.value);
      spec += ":" + message + ":" + action_of(completed_value(option));
    }
    specs += line_of(spec);
  }
  return specs;
}

// Those of the arguments: the first, the second, all others.
std::string specs_of_words(const ShownCommand& command) {
  std::string specs;
  for (const ShownOption& each : command.arguments) {
    std::string place = each.is_repeated ? "*:" : each.is_required ? ":" : "::";
    specs += line_of(place + escaped(each.names.front()) + ":" + action_of(completed_value(each)));
  }
  if (command.rest.empty()) return specs;
  const std::string& first = command.rest.front();
  std::string trimmed = first.substr(0, first.find('.'));
  return specs + line_of("1:" + escaped(trimmed) + ":" + action_of(completed_value(first))) +
         line_of("*:argument:_files");
}

std::string function_text(const ShownCommand& command) {
  // With a rest: options end at the first word that is none.
  std::string text = "  _arguments -s -S " + std::string(command.rest.empty() ? "" : "-A '-*' ") +
                     (command.commands.empty() ? ":" : "-C :");
  for (const ShownOption& each : command.options) text += specs_of(each);
  if (command.commands.empty()) return text + specs_of_words(command) + "\n";
  text += line_of("1:command:->command") + line_of("*::argument:->argument") + " && return\n";
  text += "  case $state in\n    command)\n      commands=(";
  std::string arms;
  for (const ShownCommand& each : command.commands) {
    text += "\n        " + zsh_word(escaped(name_of(each)) + ":" + each.about);
    arms += "        " + name_of(each) + ") " + function_of(each) + " ;;\n";
  }
  return text +
         ")\n      _describe -t commands command commands ;;\n    argument)\n      case $line[1] in\n" +
         arms + "      esac ;;\n  esac\n";
}

}  // namespace

std::string zsh_completion(const ShownCommand& program) {
  std::string script = zsh_head;
  for (const ShownCommand* command : all_commands(program)) {
    bool is_program = command == &program;
    script += function_of(*command) + "() {\n";
    if (!command->commands.empty())
      script += "  local context state state_descr line\n  local -a commands\n  typeset -A opt_args\n";
    if (is_program) script += "  local tenkai_program=${words[1]/#\\~/$HOME}\n";
    script += function_text(*command) + "}\n\n";
  }
  // As a file of $fpath it is run in place of the function; else it is read once.
  return script +
         "if [ \"$funcstack[1]\" = _tenkai ]; then\n  _tenkai \"$@\"\nelse\n  compdef _tenkai tenkai\nfi\n";
}

}  // namespace tenkai
