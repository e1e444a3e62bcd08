// What is run to launch by MPI: mpirun, which runs one process of tenkai-mpi-spawn, which
// spawns the others. And what cannot be launched in this way, with the reason.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/messages.h"
#include "plugins/mpi/exposure.h"

namespace tenkai::mpi {

// The machine on which mpirun is run.
struct MpiPlace {
  std::vector<Interface> interfaces;
  std::string spawn_program;  // the path of tenkai-mpi-spawn
  std::string tmp = "/tmp";   // where Open MPI may write
};

struct MpiCommand {
  // Settings of Open MPI; what the options of mpirun say goes before them.
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> argv;
};

// options: `mpi.*`, `environment.*` and `threads` of a profile.
Result<MpiCommand> mpi_command(const LaunchRequest& request, const MpiPlace& place);

// The command as a line for a shell.
std::string shown(const MpiCommand& command);

}  // namespace tenkai::mpi
