#include "launcher/launch/allocation.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/counted.h"
#include "base/text.h"

namespace tenkai {
namespace {

constexpr const char* allocation_option = "slurm.allocation";
constexpr const char* cpus_option = "slurm.cpus-per-task";
constexpr std::uint32_t max_cpus = 1'000'000;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::size_t cpus_of(const Deployment& deployment) {
  auto cpus = deployment.options.find(cpus_option);
  if (cpus == deployment.options.end() || cpus->second.empty()) return 1;
  return std::max<std::size_t>(1, to_number<std::uint32_t>(cpus->second.front()).value_or(1));
}

// "4" or "4(x2)"
std::optional<std::size_t> cpus_of(std::string_view part) {
  std::size_t bracket = part.find("(x");
  auto cpus = to_number<std::uint32_t>(part.substr(0, bracket));
  std::optional<std::uint32_t> nodes = 1;
  if (bracket != part.npos) {
    if (!part.ends_with(')')) return std::nullopt;
    nodes = to_number<std::uint32_t>(part.substr(bracket + 2, part.size() - bracket - 3));
  }
  if (!cpus || !nodes || *cpus > max_cpus || *nodes > max_cpus) return std::nullopt;
  return std::size_t{*cpus} * *nodes;
}

}  // namespace

Allocation find_allocation() {
  Allocation allocation;
  if (variable("TENKAI_ALLOCATION") == "0") return allocation;
  allocation.job = variable("SLURM_JOB_ID");
  std::string nodes = variable("SLURM_JOB_NUM_NODES");
  allocation.nodes = to_number<std::uint32_t>(nodes.empty() ? variable("SLURM_NNODES") : nodes);
  allocation.cpus_per_task = variable("SLURM_CPUS_PER_TASK");
  allocation.cpus_per_node = variable("SLURM_JOB_CPUS_PER_NODE");
  return allocation;
}

Deployment spread_over(const Allocation& allocation, std::size_t daemons, const std::string& rscript) {
  Deployment deployment;
  deployment.plugin = "slurm";
  deployment.rscript = rscript;
  deployment.credential = "file";
  // They cost nobody anything when they are idle, so there is no idletime: the job is ours anyway.
  deployment.options["environment.rscript"] = {rscript};
  if (!allocation.cpus_per_task.empty()) deployment.options[cpus_option] = {allocation.cpus_per_task};
  move_into(allocation, deployment);
  deployment.options["slurm.nodes"] = {std::to_string(std::min(allocation.nodes.value_or(1), daemons))};
  return deployment;
}

void move_into(const Allocation& allocation, Deployment& deployment) {
  deployment.options[allocation_option] = {"1"};
  deployment.options["slurm.nodes"] = {std::to_string(allocation.nodes.value_or(1))};
  deployment.chunk = 0;
}

bool is_within_allocation(const Deployment& deployment) {
  return deployment.options.count(allocation_option) != 0;
}

std::optional<std::size_t> count_cpus(std::string_view cpus_per_node) {
  std::size_t sum = 0;
  for (std::string_view part : split(cpus_per_node, ',')) {
    std::optional<std::size_t> cpus = cpus_of(part);
    if (!cpus) return std::nullopt;
    sum += *cpus;
  }
  return sum;
}

std::string crowding(const Deployment& deployment, std::size_t daemons, const Allocation& allocation) {
  std::optional<std::size_t> available = count_cpus(allocation.cpus_per_node);
  std::size_t cpus = cpus_of(deployment);
  if (!available || daemons * cpus <= *available) return {};
  const std::string& name = deployment.profile;
  std::string wanted = std::to_string(daemons);
  return "the profile '" + name + "' wants " + counted(daemons, "daemon") + " with " +
         counted(cpus, "processor") + " each, and job " + allocation.job + ", in which they run, has " +
         std::to_string(*available) + ": they share what there is. daemons(" +
         std::to_string(std::max<std::size_t>(1, *available / cpus)) + ", profile = \"" + name +
         "\") sets as many as there is room for; a job of sbatch -n" + wanted + " -c" + std::to_string(cpus) +
         ", or of tenkai run --profile " + name +
         ", has room for all; TENKAI_ALLOCATION=0 in the environment lets the profile submit jobs of its own";
}

}  // namespace tenkai
