// A program with a command of each kind, as the parser knows it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace tenkai::test {

struct Program {
  CLI::App app{"Does things", "tenkai"};
  std::string text;
  std::vector<std::string> texts;
  int number = 7;
  bool flag = false;

  Program() {
    app.require_subcommand(1);
    CLI::App* show = app.add_subcommand("show", "Show a profile, [all] of it");
    show->add_option("NAME", text, "Which one")->type_name("PROFILE")->required();
    show->add_flag("--json", flag, "As JSON");
    show->add_option("--color", text, "It's coloured: or not")->check(CLI::IsMember({"auto", "never"}));
    show->add_option("--wait", number, "How long")
        ->type_name("SECONDS")
        ->capture_default_str()
        ->check(CLI::Range(1, 60))
        ->envname("TENKAI_WAIT");
    show->footer(
        "One paragraph\n"
        "of two lines.\n\n"
        ".Another one.\n\n"
        "Example:\n"
        "  tenkai show gpu\n\n"
        "Exit codes:\n"
        "  0  it is shown,\n"
        "     all of it\n"
        "  2  it is not");
    CLI::App* run = app.add_subcommand("run", "Run a script");
    run->add_option("--args", texts, "More words")->type_name("WORD")->allow_extra_args(false);
    run->prefix_command();
    run->footer("tenkai run [OPTIONS] SCRIPT [ARGUMENTS...]\n\nIt runs.");
    CLI::App* group = app.add_subcommand("profile", "Look at profiles");
    group->add_subcommand("list", "Print them");
    app.add_subcommand("secret", "For programs")->group("");
  }
};

}  // namespace tenkai::test
