// A command as it is shown to people: what help, manual pages and completion are made of.
// It is read off the parser, so that no option is written twice.
//
// A footer may begin with how the command is called ("tenkai run [OPTIONS] SCRIPT"), where the
// parser does not know it. Then come paragraphs, and sections:
//
//   Exit codes:
//     0  a word, two blanks, and what it means
//        which may go on here
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tenkai {

struct ShownOption {
  std::vector<std::string> names;  // "-h", "--help"; of an argument its one name
  std::string about;
  std::string value;                 // what it takes: "PROFILE"; empty: nothing
  std::vector<std::string> choices;  // where there are no other values
  std::string range;                 // "1 to 60"
  std::string preset;                // its value where it is not given
  std::string variable;              // of the environment, which says it too
  bool is_required = false;
  bool is_repeated = false;
};

struct ShownSection {
  std::string title;
  // A word, and what it means; or a line as it is, and nothing.
  std::vector<std::pair<std::string, std::string>> lines;

  bool operator==(const ShownSection&) const = default;
};

struct ShownCommand {
  std::string called;  // "tenkai profile show"
  std::string about;
  std::vector<ShownOption> options;
  std::vector<ShownOption> arguments;
  std::vector<std::string> rest;  // what else follows: "SCRIPT", "[ARGUMENTS...]", options of their own too
  std::vector<ShownCommand> commands;
  std::vector<std::string> paragraphs;
  std::vector<ShownSection> sections;
};

// Commands without a group are not for people, and left out.
ShownCommand shown_command(const CLI::App& app);
ShownOption shown_option(const CLI::Option& option);

// The last word of how it is called.
std::string name_of(const ShownCommand& command);
// "tenkai run [OPTIONS] SCRIPT [ARGUMENTS...]"
std::string usage_of(const ShownCommand& command);
// "PROFILE", "stdin|file": the value of an option.
std::string shown_value(const ShownOption& option);
// What it does, and its limits: "How long to wait (1 to 60; 10 if not given)".
std::string about_of(const ShownOption& option);

}  // namespace tenkai
