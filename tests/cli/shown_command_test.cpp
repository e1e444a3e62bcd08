#include "cli/shown_command.h"

#include "cli/help.h"
#include "tests/catch.h"
#include "tests/cli/program.h"

using namespace tenkai;
using tenkai::test::Program;
using Line = std::pair<std::string, std::string>;

namespace {

const ShownOption& option_of(const ShownCommand& command, const std::string& name) {
  for (const ShownOption& each : command.options) {
    if (each.names.back() == name) return each;
  }
  FAIL("there is no option " << name);
  return command.options.front();
}

}  // namespace

TEST_CASE("commands are shown with those below them, and without those that are not for people") {
  Program program;

  ShownCommand shown = shown_command(program.app);

  REQUIRE(shown.commands.size() == 3);
  CHECK(shown.called == "tenkai");
  CHECK(shown.about == "Does things");
  CHECK(shown.commands[0].called == "tenkai show");
  REQUIRE(shown.commands[2].commands.size() == 1);
  CHECK(shown.commands[2].commands[0].called == "tenkai profile list");
  CHECK(name_of(shown.commands[2].commands[0]) == "list");
}

TEST_CASE("a command that is below another one is shown by its whole name") {
  Program program;

  const CLI::App* list = program.app.get_subcommand("profile")->get_subcommand("list");

  CHECK(shown_command(*list).called == "tenkai profile list");
}

TEST_CASE("what an option takes is read off the parser") {
  Program program;
  ShownCommand shown = shown_command(program.app).commands[0];

  CHECK(option_of(shown, "--json").value.empty());
  CHECK(option_of(shown, "--color").choices == std::vector<std::string>{"auto", "never"});
  CHECK(shown_value(option_of(shown, "--color")) == "auto|never");
  ShownOption wait = option_of(shown, "--wait");
  CHECK(wait.value == "SECONDS");
  CHECK(about_of(wait) == "How long (1 to 60; 7 if not given; also by TENKAI_WAIT)");
  REQUIRE(shown.arguments.size() == 1);
  CHECK(shown.arguments[0].names == std::vector<std::string>{"NAME"});
  CHECK(shown.arguments[0].value == "PROFILE");
  CHECK(shown.arguments[0].is_required);
  CHECK(option_of(shown_command(program.app).commands[1], "--args").is_repeated);
}

TEST_CASE("a footer is paragraphs and sections, and begins with how the command is called") {
  Program program;
  ShownCommand shown = shown_command(program.app);
  const ShownCommand& show = shown.commands[0];

  CHECK(show.paragraphs == std::vector<std::string>{"One paragraph of two lines.", ".Another one."});
  REQUIRE(show.sections.size() == 2);
  CHECK(show.sections[0].title == "Example");
  CHECK(show.sections[0].lines == std::vector<Line>{{"tenkai show gpu", ""}});
  CHECK(show.sections[1].title == "Exit codes");
  CHECK(show.sections[1].lines == std::vector<Line>{{"0", "it is shown, all of it"}, {"2", "it is not"}});
  CHECK(shown.commands[1].rest == std::vector<std::string>{"SCRIPT", "[ARGUMENTS...]"});
  CHECK(shown.commands[1].paragraphs == std::vector<std::string>{"It runs."});
}

TEST_CASE("how a command is called names its arguments, and that one of its commands is needed") {
  Program program;
  ShownCommand shown = shown_command(program.app);

  CHECK(usage_of(shown) == "tenkai [OPTIONS] COMMAND");
  CHECK(usage_of(shown.commands[0]) == "tenkai show [OPTIONS] NAME");
  CHECK(usage_of(shown.commands[1]) == "tenkai run [OPTIONS] SCRIPT [ARGUMENTS...]");
}

TEST_CASE("help fits into 80 columns, and says everything once") {
  Program program;

  std::string help = help_of(shown_command(*program.app.get_subcommand("show")));

  CHECK(help == R"(Usage: tenkai show [OPTIONS] NAME

Show a profile, [all] of it

Arguments:
  NAME  Which one (required)

Options:
  -h, --help          Print this help message and exit
  --json              As JSON
  --color auto|never  It's coloured: or not
  --wait SECONDS      How long (1 to 60; 7 if not given; also by TENKAI_WAIT)

One paragraph of two lines.

.Another one.

Example:
  tenkai show gpu

Exit codes:
  0  it is shown, all of it
  2  it is not
)");
}
