#include "plugins/slurm/allocation.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace tenkai::slurm {

std::size_t fewest_cpus(std::string_view cpus_per_node) {
  std::size_t fewest = 0;
  for (std::string_view part : split(cpus_per_node, ',')) {
    std::size_t cpus = to_number<std::size_t>(part.substr(0, part.find('('))).value_or(0);
    if (cpus == 0) return 0;
    fewest = fewest == 0 ? cpus : std::min(fewest, cpus);
  }
  return fewest;
}

bool tells_of_job(std::string_view variable) {
  for (std::string_view known :
       {"SLURM_JOBID", "SLURM_NODELIST", "SLURM_CLUSTER_NAME", "SLURMD_NODENAME", "SLURM_RESTART_COUNT"}) {
    if (variable == known) return true;
  }
  return variable.starts_with("SLURM_JOB_") || variable.starts_with("SLURM_ARRAY_");
}

Allocation allocation_in(const std::vector<std::string_view>& variables) {
  Allocation found;
  for (std::string_view each : variables) {
    std::size_t equals = each.find('=');
    if (equals == each.npos || !tells_of_job(each.substr(0, equals))) continue;
    std::string name(each.substr(0, equals));
    std::string value(each.substr(equals + 1));
    if (name == "SLURM_JOB_ID" && to_number<std::uint64_t>(value)) found.job = value;
    if (name == "SLURM_JOB_CPUS_PER_NODE") found.cpus = fewest_cpus(value);
    found.variables.emplace_back(std::move(name), std::move(value));
  }
  return found;
}

Allocation own_allocation() {
  std::vector<std::string_view> variables;
  for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
  return allocation_in(variables);
}

}  // namespace tenkai::slurm
