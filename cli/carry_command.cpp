// `tenkai carry`: the workers of another program (mirai, crew, clustermq, Parsl: whatever
// connects back by itself) as jobs of a compute profile. It stays as long as they do, says
// why one did not come, and ends them with the session that they are for.
#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>

#include "cli/carry.h"
#include "cli/commands.h"

namespace tenkai {

void add_carry_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("carry", "Run the workers of another program as jobs of a profile");
  auto arguments = std::make_shared<CarryArguments>();
  command->add_option("--profile", arguments->profile, "The compute profile that says how")->required();
  command->add_option("--workers", arguments->workers, "How many of them run the command [1]")
      ->check(CLI::Range(std::size_t{1}, most_carried_workers));
  command
      ->add_option("--session", arguments->session,
                   "The process that they are for: they end when it does [the process that has started this]")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--together", arguments->together,
                   "Seconds: commands of a session that come within them are one launch [0.3]")
      ->check(CLI::Range(0.0, 60.0));
  command->add_flag("--dry-run", arguments->dry, "Print what would be run, and run nothing");
  // What follows is the worker's own, options too.
  command->prefix_command();
  command->footer(
      "tenkai carry --profile PROFILE [OPTIONS] COMMAND...\n\n"
      "COMMAND is a line of a shell, for any program that connects back by itself.\n"
      "It stays until they have ended, and tells why one did not come. SIGTERM ends them.\n"
      "Exit code 0: all have ended well. 1: one has not. 2: none was launched.");
  command->callback([arguments, command, &exit_code] {
    arguments->command = command->remaining();
    exit_code = carry(*arguments);
  });
}

}  // namespace tenkai
