#include "plugins/mpi/lacks.h"

#include "base/path.h"
#include "process/own_path.h"

namespace tenkai::mpi {

std::string spawn_program() { return helper_folder(own_program()) + "/tenkai-mpi-spawn"; }

PluginLacks lacks() {
  PluginLacks all;
  if (!exists(spawn_program()))
    all.push_back(
        {"tenkai-mpi-spawn", "tenkai was built without Open MPI 4, and no daemon can be spawned",
         "build tenkai where version 4 of Open MPI is (Debian 12: libopenmpi-dev openmpi-bin), with "
         "TENKAI_MPI=ON; or launch by srun or SSH"});
  if (!is_in_path("mpirun"))
    all.push_back({"mpirun", "nothing can be spawned, unless mpi.program of a profile names it",
                   "install Open MPI 4 (Debian 12: openmpi-bin), or load its module"});
  return all;
}

}  // namespace tenkai::mpi
