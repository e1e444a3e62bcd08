// `tenkai doctor`: what keeps daemons from coming, told before one waits for them.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "cli/colour.h"
#include "cli/commands.h"
#include "launcher/doctor/doctor.h"

namespace tenkai {
namespace cli_doctor {
namespace {

struct Arguments {
  doctor::Visit visit;
  std::size_t wait = 120;  // seconds
  bool json = false;
  bool rows = false;  // for the R package
  std::function<bool()> wants_colour;
};

int run(const Arguments& arguments) {
  doctor::Checks checks = doctor::examine(arguments.visit);
  std::string text =
      arguments.json ? doctor::json_of(checks) : doctor::lines_of(checks, arguments.wants_colour());
  if (arguments.rows) text = doctor::rows_of(checks);
  std::fputs(text.c_str(), stdout);
  return doctor::exit_code_of(checks);
}

}  // namespace
}  // namespace cli_doctor

void add_doctor_command(CLI::App& app, int& exit_code) {
  using namespace cli_doctor;
  CLI::App* command =
      app.add_subcommand("doctor", "Look for what keeps daemons from coming, and say how to mend it");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--profile", arguments->visit.profile, "Whether this compute profile will work, too")
      ->type_name("PROFILE");
  command->add_flag(
      "--probe", arguments->visit.probe,
      "Launch a small job by the profile, which tells what it finds there, and by which addresses "
      "it can come back");
  command->add_option("--wait", arguments->wait, "How many seconds to wait for that job")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  command->add_flag("--json", arguments->json, "Print one JSON document");
  command->add_flag("--rows", arguments->rows)->group("");
  arguments->wants_colour = add_colour_option(*command);
  command->footer(
      "Nothing is changed, and nothing is launched but what --probe asks for.\n\n"
      "Example:\n"
      "  tenkai doctor --profile gpu\n\n"
      "Exit codes:\n"
      "  0  nothing is wrong; there may be warnings\n"
      "  1  something is wrong\n"
      "  2  the command line was not understood");
  command->callback([arguments, &exit_code] {
    arguments->visit.wait = std::chrono::seconds(arguments->wait);
    exit_code = run(*arguments);
  });
}

}  // namespace tenkai
