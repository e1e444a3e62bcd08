#include "plugins/slurm/lacks.h"

#include "process/own_path.h"

namespace tenkai::slurm {

PluginLacks lacks() {
  if (is_in_path("sbatch")) return {};
  return {{"sbatch", "no job can be submitted from this machine",
           "go to a login node of the cluster, or put the folder of Slurm's programs into PATH"}};
}

}  // namespace tenkai::slurm
