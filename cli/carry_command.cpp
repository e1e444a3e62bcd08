// `tenkai carry`: the workers of another program (mirai, crew, clustermq, Parsl: whatever
// connects back by itself) as jobs of a compute profile. It stays as long as they do, says
// why one did not come, and ends them with the session that they are for.
#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/carry.h"
#include "cli/commands.h"
#include "cli/unknown_word.h"

namespace tenkai {

void add_carry_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("carry", "Run the workers of another program as jobs of a profile");
  auto arguments = std::make_shared<CarryArguments>();
  command->add_option("--profile", arguments->profile, "The compute profile that says how")
      ->type_name("PROFILE")
      ->required();
  command->add_option("--workers", arguments->workers, "How many of them run the command [1]")
      ->type_name("NUMBER")
      ->check(CLI::Range(std::size_t{1}, most_carried_workers));
  command
      ->add_option("--session", arguments->session,
                   "The process that they are for: they end when it does [the process that has started this]")
      ->type_name("PROCESS")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--together", arguments->together,
                   "Seconds: commands of a session that come within them are one launch [0.3]")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 60.0));
  command->add_flag("--dry-run", arguments->dry, "Print what would be run, and run nothing");
  // What follows is the worker's own, options too.
  command->prefix_command();
  command->footer(
      "tenkai carry [OPTIONS] COMMAND...\n\n"
      "COMMAND is a line of a shell, for any program that connects back by itself.\n"
      "It stays until they have ended, and tells why one did not come. SIGTERM ends them.\n\n"
      "Example:\n"
      "  tenkai carry --profile cpu --workers 8 \"Rscript -e "
      "'clustermq:::worker(\\\"tcp://login:6124\\\")'\"\n\n"
      "Exit codes:\n"
      "  0  all workers have ended well\n"
      "  1  one has not\n"
      "  2  none was launched");
  command->callback([arguments, command, &app, &exit_code] {
    arguments->command = command->remaining();
    std::string why = unknown_word(app);
    if (!why.empty()) std::fprintf(stderr, "%s\n", why.c_str());
    exit_code = why.empty() ? carry(*arguments) : 2;
  });
}

}  // namespace tenkai
