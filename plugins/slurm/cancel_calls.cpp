#include "plugins/slurm/cancel_calls.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tenkai::slurm {
namespace {

struct Group {
  std::vector<const SlurmJob*> going;
  std::size_t live = 0;  // all that has not ended
};

bool waits(const SlurmJob* job) { return job->phase == SlurmJob::Phase::queued; }

}  // namespace

std::vector<std::vector<std::string>> in_chunks(const std::vector<std::string>& ids,
                                                const std::string& cluster) {
  std::vector<std::vector<std::string>> calls;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i % max_cancel_ids == 0) {
      calls.push_back({"scancel"});
      if (!cluster.empty()) calls.back().push_back("--clusters=" + cluster);
    }
    calls.back().push_back(ids[i]);
  }
  return calls;
}

std::vector<std::vector<std::string>> cancel_calls(const SlurmJobs& jobs,
                                                   const std::vector<std::string>& names) {
  std::set<std::string> wanted(names.begin(), names.end());
  std::map<std::pair<std::string, std::string>, Group> groups;  // by cluster and id
  for (const SlurmJob* job : jobs.live()) {
    Group& group = groups[{job->place.cluster, job->place.name.id}];
    // An agent of the same job that was cancelled before does not hold it.
    if (!job->fate.is_cancelled() || wanted.count(job->place.name.text()) != 0) ++group.live;
    if (wanted.count(job->place.name.text()) != 0) group.going.push_back(job);
  }
  std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>> by_cluster;
  for (const auto& [key, group] : groups) {
    if (group.going.empty()) continue;
    auto& [waiting, running] = by_cluster[key.first];
    bool whole = group.going.size() == group.live;
    if (whole) {
      bool waits_in_part = std::any_of(group.going.begin(), group.going.end(), waits);
      (waits_in_part ? waiting : running).push_back(key.second);
      continue;
    }
    for (const SlurmJob* job : group.going) {
      if (!job->place.name.is_rank) (waits(job) ? waiting : running).push_back(job->place.name.text());
    }
  }
  std::vector<std::vector<std::string>> calls;
  for (auto& [cluster, ids] : by_cluster) {
    ids.first.insert(ids.first.end(), ids.second.begin(), ids.second.end());
    for (std::vector<std::string>& call : in_chunks(ids.first, cluster)) calls.push_back(std::move(call));
  }
  return calls;
}

std::vector<std::string> cancel_by_name(const std::string& name, const std::string& clusters) {
  std::vector<std::string> argv{"scancel", "--user=" + std::to_string(::geteuid()), "--name=" + name};
  if (!clusters.empty()) argv.push_back("--clusters=" + clusters);
  return argv;
}

}  // namespace tenkai::slurm
