// The second launch of a profile, for tasks that died of too little: the same options with
// larger requests, or with nodes left out. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "launcher/profile/deployment.h"
#include "scheduler/size.h"

namespace tenkai {

struct Enlarged {
  Deployment::Options options;
  std::string words;  // what is asked for now: "mem=4G, time=2:00:00"; empty for the usual size
};

// Multiplies slurm.mem, slurm.mem-per-cpu and limits.memory, whichever there are, once for
// each step of size.mem, and slurm.time for those of size.time. Refuses what would not ask
// for more: steps of the session's own job, no such option, none that has a limit (mem: 0, time: UNLIMITED),
// one that slurm.options say in their own way, or more than can be written.
Result<Enlarged> enlarge(const Deployment::Options& options, const Size& size, const Factors& factors);

// `options` with these nodes excluded, beside those that are excluded already.
Deployment::Options excluding(Deployment::Options options, const std::vector<std::string>& nodes);

}  // namespace tenkai
