#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/build_facts.h"
#include "cli/commands.h"

namespace tenkai {

void add_version_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("version", "Print the version, and how it was built");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print one JSON document");
  command->footer(
      "Example:\n"
      "  tenkai version --json\n\n"
      "Exit codes:\n"
      "  0  it is printed\n"
      "  2  the command line was not understood");
  command->callback([as_json, &exit_code] {
    BuildFacts facts = build_facts();
    std::fputs((*as_json ? to_json(facts) : to_text(facts)).c_str(), stdout);
    exit_code = 0;
  });
}

}  // namespace tenkai
