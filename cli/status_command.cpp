#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/colour.h"
#include "cli/commands.h"
#include "cli/dispatchers.h"
#include "launcher/view/show_view.h"

namespace tenkai {
namespace cli_status {
namespace {

struct Arguments {
  bool json = false;
  std::optional<int> pid;
  std::function<bool()> wants_colour;
};

void complain(const std::string& why) { std::fprintf(stderr, "tenkai status: %s\n", harmless(why).c_str()); }

int run(const Arguments& arguments) {
  asio::io_context io(1);
  Result<Survey> asked = survey(io, arguments.pid);
  if (!asked) complain(asked.error().message);
  Survey seen = asked ? std::move(*asked) : Survey();
  for (const std::string& trouble : seen.troubles) complain(trouble);
  if (asked && seen.found.empty() && seen.troubles.empty()) complain(none_found());
  std::vector<View> views;
  for (const FoundDispatcher& each : seen.found) views.push_back(each.view);
  std::string text;
  for (const View& view : views)
    text += (text.empty() ? "" : "\n") + table_of(view, arguments.wants_colour());
  if (arguments.json) text = json_of(views);
  std::fputs(text.c_str(), stdout);
  return views.empty() ? 1 : 0;
}

}  // namespace
}  // namespace cli_status

void add_status_command(CLI::App& app, int& exit_code) {
  using namespace cli_status;
  CLI::App* command =
      app.add_subcommand("status", "Show the dispatchers of this user, their daemons and launches");
  auto arguments = std::make_shared<Arguments>();
  command->add_flag("--json", arguments->json, "Print one JSON document");
  arguments->wants_colour = add_colour_option(*command);
  command->add_option("--pid", arguments->pid, "Only that dispatcher, or those of that R session")
      ->type_name("PID")
      ->check(CLI::PositiveNumber);
  command->footer(
      "Example:\n"
      "  tenkai status --pid 4711\n\n"
      "Exit codes:\n"
      "  0  at least one dispatcher was shown\n"
      "  1  there is none\n"
      "  2  the command line was not understood");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace tenkai
