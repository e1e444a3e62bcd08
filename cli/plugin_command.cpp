// `tenkai plugin NAME`: a way to launch daemons elsewhere, which a dispatcher starts and
// speaks to on standard input and output (docs/plugins.md).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "cli/commands.h"
#include "launcher/bring/bringing_plugin.h"
#include "launcher/bring/offering_plugin.h"
#include "launcher/plugin/facts.h"
#include "launcher/plugin/plugin.h"
#include "plugins/command/command_plugin.h"
#include "plugins/mpi/lacks.h"
#include "plugins/mpi/mpi_plugin.h"
#include "plugins/slurm/lacks.h"
#include "plugins/slurm/slurm_plugin.h"
#include "plugins/ssh/lacks.h"
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

// One whose launches bring tenkai along.
template <class Some>
MakePlugin bringing_maker() {
  return [](asio::any_io_executor executor, Plugin::Tell tell) {
    return std::make_unique<BringingPlugin>(executor, std::move(tell), maker<Some>());
  };
}

// One whose jobs do so themselves.
template <class Some>
MakePlugin offering_maker() {
  return [](asio::any_io_executor executor, Plugin::Tell tell) {
    return std::make_unique<OfferingPlugin>(executor, std::move(tell), maker<Some>());
  };
}

struct OwnPlugin {
  MakePlugin make;
  std::string about;
  FindLacks find_lacks;
};

const std::map<std::string, OwnPlugin>& plugins() {
  static const std::map<std::string, OwnPlugin> all = {
      {"command",
       {bringing_maker<command::CommandPlugin>(), "Daemons by any command", [] { return PluginLacks(); }}},
      {"mpi", {maker<mpi::MpiPlugin>(), "Daemons by MPI", mpi::lacks}},
      {"slurm", {offering_maker<slurm::SlurmPlugin>(), "Daemons as jobs of Slurm", slurm::lacks}},
      {"ssh", {bringing_maker<ssh::SshPlugin>(), "Daemons on other machines, by SSH", ssh::lacks}}};
  return all;
}

int print_facts(const OwnPlugin& plugin) {
  PluginFacts facts{std::string(program_version), plugin.about, plugin.find_lacks()};
  std::printf("%s\n", encode(facts).c_str());
  return 0;
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
  auto wants_facts = std::make_shared<bool>(false);
  command->add_flag("--facts", *wants_facts, "Print what it is and what it lacks, as JSON, and end");
  command->callback([name, wants_facts, &exit_code] {
    const OwnPlugin& plugin = plugins().at(*name);
    exit_code = *wants_facts ? print_facts(plugin) : run_plugin(*name, plugin.make);
  });
}

}  // namespace tenkai
