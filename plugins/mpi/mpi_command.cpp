#include "plugins/mpi/mpi_command.h"

#include "base/counted.h"
#include "base/text.h"
#include "launcher/plugin/environment_command.h"
#include "launcher/profile/options.h"
#include "launcher/template/shell.h"

namespace tenkai::mpi {
namespace {

// Without the first two, one process that dies or fails takes all others with it, and
// mpirun too.
std::vector<std::pair<std::string, std::string>> settings(const LaunchRequest& request,
                                                          const MpiPlace& place) {
  std::vector<std::pair<std::string, std::string>> all = {
      {"OMPI_MCA_orte_enable_recovery", "1"},
      {"OMPI_MCA_orte_abort_on_non_zero_status", "0"},
      // There may be more daemons than slots.
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
      // How many processors a daemon uses is not for MPI to say.
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},
      // They have next to nothing to say to each other, so nothing quick is set up for it.
      {"OMPI_MCA_pml", "ob1"},
      {"OMPI_MCA_btl", "tcp,self"},
      // A folder for each mpirun. One that begins and another that ends can otherwise come into
      // each other's way: "mkdir: File exists".
      {"OMPI_MCA_orte_top_session_dir",
       place.tmp + "/tenkai-mpi-" + request.session + "-" + std::to_string(request.number)},
      // Within a job of Slurm mpirun starts a helper on each node as a step, and those of a
      // second launch would wait for the end of the first.
      {"OMPI_MCA_plm_slurm_args", "--overlap --mem=0"},
  };
  // Which it leaves out by itself, and then finds no way between its processes.
  if (open_to_others(place.interfaces).empty()) {
    all.emplace_back("OMPI_MCA_btl_tcp_if_include", "lo");
    all.emplace_back("OMPI_MCA_oob_tcp_if_include", "lo");
  }
  return all;
}

Result<Done> check(const LaunchRequest& request, const MpiPlace& place) {
  Result<Done> known = check_keys(request.options, "mpi");
  if (!known) return known;
  Result<Done> may = may_listen(request.option("mpi.listen", "loopback"), place.interfaces);
  if (!may) return may;
  if (request.daemons != request.agents) {
    return Error{"by MPI each process is one daemon: this launch is for " +
                 counted(request.daemons, "daemon") + " in " +
                 counted(request.agents, "process", "processes")};
  }
  return Done{};
}

}  // namespace

Result<MpiCommand> mpi_command(const LaunchRequest& request, const MpiPlace& place) {
  Result<Done> good = check(request, place);
  if (!good) return good.error();
  Result<std::vector<std::string>> daemon = in_environment(request.command, request);
  if (!daemon) return daemon.error();
  MpiCommand command;
  command.environment = settings(request, place);
  command.argv = {request.option("mpi.program", "mpirun"), "-n", "1"};
  if (auto options = request.options.find("mpi.options"); options != request.options.end())
    command.argv.insert(command.argv.end(), options->second.begin(), options->second.end());
  command.argv.push_back(place.spawn_program);
  command.argv.push_back(std::to_string(request.agents));
  command.argv.insert(command.argv.end(), daemon->begin(), daemon->end());
  return command;
}

std::string shown(const MpiCommand& command) {
  std::string text = "env";
  for (const auto& [name, value] : command.environment) text += " " + name + "=" + shell_quote(value);
  return text + " " + shell_command(command.argv);
}

}  // namespace tenkai::mpi
