// The job of Slurm that a session runs in, if it does: what it would submit is a step there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/profile/deployment.h"

namespace tenkai {

struct Allocation {
  std::string job;                   // empty: none, or TENKAI_ALLOCATION=0 says so
  std::optional<std::size_t> nodes;  // nothing: it is not known
  std::string cpus_per_task;         // empty: not said
  std::string cpus_per_node;         // "4(x2),2"

  bool is_there() const { return !job.empty(); }
};

// As the variables of the environment say it.
Allocation find_allocation();

// n daemons of which nothing else is said, as steps over the nodes: one agent for each. `rscript` is the
// session's own.
Deployment spread_over(const Allocation& allocation, std::size_t daemons, const std::string& rscript);
// Makes steps of what a profile would submit.
void move_into(const Allocation& allocation, Deployment& deployment);
bool is_within_allocation(const Deployment& deployment);

// What SLURM_JOB_CPUS_PER_NODE comes to: 10 for "4(x2),2". Nothing where it is something else.
std::optional<std::size_t> count_cpus(std::string_view cpus_per_node);

// What to say where so many daemons of a profile are more than their job has processors for; empty: they
// are not, or it is not known.
std::string crowding(const Deployment& deployment, std::size_t daemons, const Allocation& allocation);

}  // namespace tenkai
