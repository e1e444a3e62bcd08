#include <string>
#include <string_view>

#include "base/text.h"
#include "cli/completion.h"

namespace tenkai {
namespace {

constexpr const char* fish_head = R"sh(# Completion in fish, as `tenkai completion fish` prints it.

# What the program itself knows, such as the names of profiles.
function __tenkai_values
    set -l words (commandline -opc)
    $words[1] values $argv[1] 2>/dev/null
end

)sh";

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// What may be completed where a value stands; -f, said at the end for all, takes files away.
std::string source_of(const CompletedValue& value) {
  using Kind = CompletedValue::Kind;
  switch (value.kind) {
    case Kind::nothing: return "";
    case Kind::choices: return " -a " + in_quotes(join(value.choices, " "));
    case Kind::asked: return " -a '(__tenkai_values " + value.asked + ")'";
    case Kind::files: return " -F";
    case Kind::folders: return " -a '(__fish_complete_directories)'";
    case Kind::programs: return " -a '(__fish_complete_command)'";
  }
  return "";
}

std::string line_for(const ShownCommand& command) {
  return "complete -c tenkai -n '__tenkai_at " + command.called + "'";
}

std::string line_for(const ShownCommand& command, const ShownOption& option) {
  std::string line = line_for(command);
  for (const std::string& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.value.empty() || !option.choices.empty()) {
    std::string source = source_of(completed_value(option));
    line += (source == " -F" ? " -r" : " -x") + source;
  }
  return line + " -d " + in_quotes(option.about) + "\n";
}

std::string lines_of_command(const ShownCommand& command) {
  std::string lines;
  for (const ShownOption& each : command.options) lines += line_for(command, each);
  for (const ShownCommand& each : command.commands)
    lines += line_for(command) + " -a " + name_of(each) + " -d " + in_quotes(each.about) + "\n";
  for (const ShownOption& each : command.arguments) {
    std::string source = source_of(completed_value(each));
    if (!source.empty()) lines += line_for(command) + source + "\n";
  }
  if (!command.rest.empty()) lines += line_for(command) + " -F\n";
  return lines;
}

}  // namespace

std::string fish_completion(const ShownCommand& program) {
  std::string known;
  std::string lines = "complete -c tenkai -f\n";
  for (const ShownCommand* command : all_commands(program)) {
    known += " " + in_quotes(command->called);
    lines += lines_of_command(*command);
  }
  return fish_head + std::string("# Whether this is the command that is typed.\nfunction __tenkai_at\n") +
         "    set -l called tenkai\n    for word in (commandline -opc)[2..-1]\n" +
         "        if contains -- \"$called $word\"" + known + "\n" +
         "            set called \"$called $word\"\n        end\n    end\n    test \"$argv\" = "
         "\"$called\"\nend\n\n" +
         lines;
}

}  // namespace tenkai
