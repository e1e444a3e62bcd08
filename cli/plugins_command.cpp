// `tenkai plugins`: the ways to launch daemons, and what each lacks here.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/shown_plugin.h"
#include "launcher/plugin/plugin_process.h"
#include "process/own_path.h"
#include "process/programs.h"

namespace tenkai {
namespace cli_plugins {
namespace {

constexpr std::chrono::seconds facts_limit{5};
constexpr std::size_t longest_facts = 64 * 1024;

// What a plugin says on --facts; nothing where it says nothing in time.
std::string ask_for_facts(std::vector<std::string> command) {
  asio::io_context io(1);
  Programs programs(io.get_executor());
  std::string text;
  ProgramStart start;
  command.push_back("--facts");
  start.argv = std::move(command);
  start.on_output = [&text](std::string_view bytes) {
    text.append(bytes.substr(0, longest_facts - std::min(longest_facts, text.size())));
  };
  Result<pid_t> pid = programs.start(std::move(start), [&io](const ProgramEnd&) { io.stop(); });
  if (!pid) return "";
  io.run_for(facts_limit);
  if (programs.size() == 0) return text;
  programs.kill_all();
  io.run_for(facts_limit);
  return "";
}

// One that is gone since it was listed has no command, and says nothing.
ShownPlugin look_at(const std::string& name) {
  ShownPlugin plugin{name, {}, {}};
  Result<std::vector<std::string>> command = find_plugin(name, own_program(), std::getenv("TENKAI_PLUGINS"));
  if (!command) return plugin;
  plugin.command = std::move(*command);
  Result<PluginFacts> facts = parse_facts(ask_for_facts(plugin.command));
  if (facts) plugin.facts = std::move(*facts);
  return plugin;
}

int run(bool as_json) {
  std::vector<std::string> names = plugin_names(own_program(), std::getenv("TENKAI_PLUGINS"));
  std::vector<ShownPlugin> plugins;
  for (const std::string& name : names) plugins.push_back(look_at(name));
  std::fputs((as_json ? json_of(plugins) : table_of(plugins)).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace cli_plugins

void add_plugins_command(CLI::App& app, int& exit_code) {
  using namespace cli_plugins;
  CLI::App* command =
      app.add_subcommand("plugins", "Show the ways to launch daemons, and what each lacks here");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print one JSON document");
  command->footer(
      "What is shown of a plugin it says itself: whether it can launch from this machine.\n\n"
      "Example:\n"
      "  tenkai plugins --json\n\n"
      "Exit codes:\n"
      "  0  they are shown\n"
      "  2  the command line was not understood");
  command->callback([as_json, &exit_code] { exit_code = run(*as_json); });
}

}  // namespace tenkai
