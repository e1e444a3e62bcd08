// How jobs are cancelled: with few calls of scancel, those that wait first, so that
// none of them begins while others are being ended.
#pragma once

#include <string>
#include <vector>

#include "plugins/slurm/slurm_jobs.h"

namespace tenkai::slurm {

inline constexpr std::size_t max_cancel_ids = 100;

// The arguments of each call. An array whose jobs all go is named once. A job with ranks has
// nothing smaller to name, so it goes with its last rank.
std::vector<std::vector<std::string>> cancel_calls(const SlurmJobs& jobs,
                                                   const std::vector<std::string>& names);

// The same for ids of which nothing else is known.
std::vector<std::vector<std::string>> in_chunks(const std::vector<std::string>& ids,
                                                const std::string& cluster);

// A job that may be there or not: by its name, which no other job has.
std::vector<std::string> cancel_by_name(const std::string& name, const std::string& clusters);

}  // namespace tenkai::slurm
