// `tenkai plugin NAME`: a way to launch daemons elsewhere, which a dispatcher starts and
// speaks to on standard input and output (docs/plugins.md).
#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "launcher/plugin/plugin.h"
#include "plugins/command/command_plugin.h"
#include "plugins/mpi/mpi_plugin.h"
#include "plugins/slurm/slurm_plugin.h"
#include "plugins/ssh/ssh_plugin.h"

namespace tenkai {
namespace cli_plugin {
namespace {

template <class Some>
MakePlugin maker() {
  return [](asio::any_io_executor executor, Plugin::Tell tell) {
    return std::make_unique<Some>(executor, std::move(tell));
  };
}

const std::map<std::string, MakePlugin>& plugins() {
  static const std::map<std::string, MakePlugin> all = {{"command", maker<command::CommandPlugin>()},
                                                        {"mpi", maker<mpi::MpiPlugin>()},
                                                        {"slurm", maker<slurm::SlurmPlugin>()},
                                                        {"ssh", maker<ssh::SshPlugin>()}};
  return all;
}

}  // namespace
}  // namespace cli_plugin

void add_plugin_command(CLI::App& app, int& exit_code) {
  using namespace cli_plugin;
  CLI::App* command = app.add_subcommand(
      "plugin", "Launch daemons elsewhere for a dispatcher (started by it, not by people)");
  command->group("");
  auto name = std::make_shared<std::string>();
  command->add_option("NAME", *name, "command, mpi, slurm or ssh")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"command", "mpi", "slurm", "ssh"}));
  command->callback([name, &exit_code] { exit_code = run_plugin(*name, plugins().at(*name)); });
}

}  // namespace tenkai
