// The job that this process is in, if it is in one: `sbatch`, `salloc` or `srun` has
// made it, and steps can be started in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenkai::slurm {

struct Allocation {
  using Variables = std::vector<std::pair<std::string, std::string>>;

  std::string job;       // its id; empty: there is none
  std::size_t cpus = 0;  // of ours, on the node that has the fewest; 0: not known
  // What srun needs to know of the job, and nothing that was meant for another step.
  Variables variables;
};

// "4(x2),2", as SLURM_JOB_CPUS_PER_NODE says it: 2. 0 where it is something else.
std::size_t fewest_cpus(std::string_view cpus_per_node);

// Whether srun in a job needs this variable. Others say how a step is to be made
// (SLURM_CPU_BIND, SLURM_NTASKS, SLURM_MEM_PER_CPU), and were said of another one.
bool tells_of_job(std::string_view variable);

// The allocation that `variables` tell of, "NAME=value" each.
Allocation allocation_in(const std::vector<std::string_view>& variables);
// The one that our own environment tells of; before leave_own_job() takes it out.
Allocation own_allocation();

}  // namespace tenkai::slurm
