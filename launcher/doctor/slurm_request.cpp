// What a profile asks for, against what the site has.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "base/text.h"
#include "launcher/doctor/slurm_checks.h"
#include "launcher/profile/nearest.h"

namespace tenkai::doctor {
namespace {

struct Site {
  std::vector<SlurmPartition> partitions;
  std::vector<SlurmNodes> nodes;  // of the partition that is meant
  std::map<std::string, std::string> config;
  std::vector<SlurmAssociation> associations;
  const SlurmPartition* partition = nullptr;
};

std::string change(const SlurmRequest& request, const std::string& key) {
  auto place = request.places.find(key);
  return place == request.places.end() ? "set " + key + " in the profile"
                                       : "change " + key + " in " + place->second;
}

std::string in_gib(std::uint64_t bytes) {
  constexpr std::uint64_t mega = 1024 * 1024;
  return bytes % (1024 * mega) == 0 ? std::to_string(bytes / (1024 * mega)) + "G"
                                    : std::to_string(bytes / mega) + "M";
}

bool allows(const std::string& list, const std::string& name) {
  if (list.empty() || list == "ALL" || list == "(null)") return true;
  return std::ranges::any_of(split(list, ','), [&](std::string_view each) { return each == name; });
}

// A list may have ranges, which are left to sbatch, and names in full.
bool takes_from(const std::string& hosts, const std::string& host) {
  if (allows(hosts, host) || hosts.find('[') != hosts.npos) return true;
  return std::ranges::any_of(split(hosts, ','),
                             [&](std::string_view each) { return each.starts_with(host + "."); });
}

Check no_partition(const Site& site, const SlurmRequest& request) {
  std::vector<std::string> names;
  for (const SlurmPartition& each : site.partitions) names.push_back(each.name);
  if (request.partition.empty())
    return wrong("slurm.partition", "partition",
                 "none is said, and Slurm has no default among " + join(names, ", "),
                 change(request, "slurm.partition"));
  std::string near = nearest(request.partition, names);
  return wrong("slurm.partition", "partition " + request.partition,
               "there is none of this name" + (near.empty() ? "" : "; did you mean '" + near + "'?") +
                   " There are " + join(names, ", "),
               change(request, "slurm.partition"));
}

// Each of several partitions would do; the first is looked at.
const SlurmPartition* find_partition(const Site& site, const std::string& names) {
  std::string_view name = split(names, ',').front();
  for (const SlurmPartition& each : site.partitions)
    if (name.empty() ? each.is_default : each.name == name) return &each;
  return nullptr;
}

Check judge_partition(const Site& site, const SlurmRequest& request, const SlurmState& state) {
  const SlurmPartition& partition = *site.partition;
  std::string what = "partition " + partition.name;
  auto bad = [&](std::string sentence, const std::string& key) {
    return wrong("slurm.partition", what, std::move(sentence), change(request, key));
  };
  if (std::string up = partition.field("State"); up != "UP" && !up.empty())
    return bad("takes no jobs now (" + up + ")", "slurm.partition");
  if (!request.account.empty() && !allows(partition.field("AllowAccounts"), request.account))
    return bad("is not for the account " + request.account + ", but for " + partition.field("AllowAccounts"),
               "slurm.account");
  if (!request.qos.empty() && !allows(partition.field("AllowQos"), request.qos))
    return bad("is not for the QOS " + request.qos + ", but for " + partition.field("AllowQos"), "slurm.qos");
  std::string hosts = partition.field("AllocNodes");
  if (!takes_from(hosts, state.host))
    return bad("takes jobs from " + hosts + " alone, and this is " + state.host +
                   (state.own_job.empty() ? "" : ", in a job"),
               "slurm.partition");
  return ok("slurm.partition", what, "takes jobs");
}

Check judge_nodes(const Site& site) {
  std::string what = "nodes of " + site.partition->name;
  std::uint64_t all = 0;
  std::uint64_t good = 0;
  std::string reason;
  for (const SlurmNodes& each : site.nodes) {
    all += each.count;
    if (each.is_usable()) good += each.count;
    else if (reason.empty()) reason = each.state + (each.reason == "none" ? "" : ", " + each.reason);
  }
  if (all == 0) return skipped("slurm.nodes", what, "sinfo shows none");
  std::string counts =
      std::to_string(good) + " of " + counted(all, "node") + (good == 1 ? " is" : " are") + " up";
  if (good == 0)
    return wrong("slurm.nodes", what, counts + " (" + reason + "): jobs wait until one is",
                 "sinfo -R shows why; set slurm.partition to another");
  return ok("slurm.nodes", what, counts + (reason.empty() ? "" : " (others: " + reason + ")"));
}

Check judge_time(const Site& site, const SlurmRequest& request) {
  auto most = site.partition->most_time();
  auto wanted = parse_time_limit(request.time);
  if (request.time.empty()) {
    std::string usual = site.partition->field("DefaultTime");
    if (usual.empty() || usual == "NONE") usual = site.partition->field("MaxTime");
    return ok("slurm.time", "time of a job", "not said: jobs end after " + usual + ", as the partition says");
  }
  if (most && wanted && *wanted > *most)
    return wrong(
        "slurm.time", "time of a job",
        request.time + " is more than the partition allows (" + site.partition->field("MaxTime") + ")",
        change(request, "slurm.time"));
  return ok("slurm.time", "time of a job", request.time);
}

Check judge_size(const std::string& id, const std::string& what, std::uint64_t wanted, std::uint64_t most,
                 const std::string& in_words, const std::string& most_in_words, const std::string& mend) {
  if (most > 0 && wanted > most)
    return wrong(id, what, in_words + " are more than any node of the partition has (" + most_in_words + ")",
                 mend);
  return ok(id, what, in_words);
}

Checks judge_sizes(const Site& site, const SlurmRequest& request) {
  std::uint64_t memory = 0;
  std::uint64_t processors = 0;
  bool has_gpus = false;
  for (const SlurmNodes& each : site.nodes) {
    memory = std::max(memory, each.memory);
    processors = std::max(processors, each.processors);
    has_gpus = has_gpus || each.gres.find("gpu") != std::string::npos;
  }
  Checks checks;
  if (auto most = to_number<std::uint64_t>(site.partition->field("MaxMemPerNode")))
    memory = std::min(memory, *most * 1024 * 1024);
  if (auto most = to_number<std::uint64_t>(site.partition->field("MaxCPUsPerNode")))
    processors = std::min(processors, *most);
  if (request.memory > 0)
    checks.push_back(judge_size("slurm.memory", "memory of a job", request.memory, memory,
                                in_gib(request.memory), in_gib(memory), change(request, "slurm.mem")));
  checks.push_back(judge_size("slurm.processors", "processors of a job", request.processors, processors,
                              std::to_string(request.processors), std::to_string(processors),
                              change(request, "slurm.cpus-per-task")));
  if (request.wants_gpus && !site.nodes.empty())
    checks.push_back(has_gpus ? ok("slurm.gpus", "graphics processors", "the partition has some")
                              : wrong("slurm.gpus", "graphics processors",
                                      "no node of " + site.partition->name + " has one",
                                      change(request, "slurm.gpus-per-task")));
  return checks;
}

// Judged by the accounts that the database knows; without a database Slurm takes any.
Checks judge_account(const Site& site, const SlurmRequest& request) {
  if (site.associations.empty()) return {};
  std::vector<std::string> accounts;
  std::vector<std::string> qos;
  for (const SlurmAssociation& each : site.associations) {
    accounts.push_back(each.account);
    if (request.account.empty() || each.account == request.account)
      qos.insert(qos.end(), each.qos.begin(), each.qos.end());
  }
  Checks checks;
  bool known = request.account.empty() || std::ranges::count(accounts, request.account) > 0;
  checks.push_back(
      known ? ok("slurm.account", "account", request.account.empty() ? "the usual one" : request.account)
            : wrong("slurm.account", "account " + request.account,
                    "it is not yours; yours are " + join(accounts, ", "), change(request, "slurm.account")));
  if (request.qos.empty() || !known) return checks;
  checks.push_back(qos.empty() || std::ranges::count(qos, request.qos) > 0
                       ? ok("slurm.qos", "QOS", request.qos)
                       : wrong("slurm.qos", "QOS " + request.qos,
                               "it is not yours here; there are " + join(qos, ", "),
                               change(request, "slurm.qos")));
  return checks;
}

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(split(text, '\n'), [](auto line) { return !trim(line).empty(); }));
}

Check judge_job_limit(const Site& site, const SlurmRequest& request, const SlurmState& state) {
  std::string what = "how many jobs there may be";
  std::uint64_t own = lines_in(state.said.queue.output);
  std::optional<std::uint64_t> most;
  if (auto found = site.config.find("MaxJobCount"); found != site.config.end())
    most = to_number<std::uint64_t>(found->second);
  for (const SlurmAssociation& each : site.associations) {
    bool is_meant = request.account.empty() || each.account == request.account;
    if (is_meant && each.most_jobs && (!most || *each.most_jobs < *most)) most = each.most_jobs;
  }
  if (!most) return ok("slurm.limit", what, "no limit is known");
  std::string sentence = "the profile has " + counted(request.jobs, "job") + ", " + std::to_string(own) +
                         " of yours are there, and the limit is " + std::to_string(*most);
  if (own + request.jobs > *most)
    return warning("slurm.limit", what, sentence,
                   "have fewer daemons, or more in each job: " + change(request, "slurm.array-chunk"));
  return ok("slurm.limit", what, sentence);
}

Checks judge_preemption(const Site& site, const SlurmRequest& request) {
  std::string mode = site.partition->field("PreemptMode");
  if (mode.empty() || mode == "OFF") return {};
  std::string what = "preemption in " + site.partition->name;
  if (request.retries_preempted)
    return {ok("slurm.preemption", what, mode + ": tasks of jobs that have to make room are tried again")};
  return {warning("slurm.preemption", what, mode + ": tasks of jobs that have to make room are lost",
                  change(request, "retries.preempted") + " to 2 or more")};
}

}  // namespace

SlurmRequest slurm_request(const Profile& profile, std::size_t daemons) {
  SlurmRequest request;
  request.partition = profile.text("slurm.partition");
  // Slurm itself knows accounts in small letters.
  request.account = profile.text("slurm.account");
  for (char& c : request.account) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  request.qos = profile.text("slurm.qos");
  request.time = profile.text("slurm.time");
  request.processors = parse_count(profile.text("slurm.cpus-per-task")).value_or(1);
  request.wants_gpus = profile.find("slurm.gpus-per-task") != nullptr;
  request.nodes = parse_count(profile.text("slurm.nodes")).value_or(0);
  std::uint64_t chunk =
      std::max<std::uint64_t>(1, parse_count(profile.text("slurm.array-chunk")).value_or(1));
  request.jobs = request.nodes > 0 ? 1 : (daemons + chunk - 1) / chunk;
  if (request.nodes == 0) request.processors *= chunk;
  request.memory = parse_memory(profile.text("slurm.mem")).value_or(0);
  if (auto each = parse_memory(profile.text("slurm.mem-per-cpu")))
    request.memory = *each * request.processors;
  std::string again = profile.text("retries.preempted");
  request.retries_preempted = (again.empty() ? profile.text("retries.default") : again) != "0";
  for (const auto& [path, value] : profile.values) request.places[path] = to_string(value.place);
  return request;
}

Checks judge_request(const SlurmState& state, const SlurmRequest& request) {
  Site site;
  site.partitions = parse_partitions(state.said.partitions.output);
  site.config = parse_slurm_config(state.said.config.output);
  if (state.said.associations.is_good())
    site.associations = parse_associations(state.said.associations.output);
  if (site.partitions.empty())
    return {skipped("slurm.partition", "partitions",
                    "scontrol show partition " + (state.said.partitions.is_good()
                                                      ? std::string("shows none")
                                                      : trouble_of(state.said.partitions, state.limit)))};
  site.partition = find_partition(site, request.partition);
  if (site.partition == nullptr) return {no_partition(site, request)};
  for (const SlurmNodes& each : parse_nodes(state.said.nodes.output))
    if (each.partition == site.partition->name) site.nodes.push_back(each);
  Checks checks = {judge_partition(site, request, state), judge_nodes(site), judge_time(site, request)};
  add(checks, judge_sizes(site, request));
  add(checks, judge_account(site, request));
  checks.push_back(judge_job_limit(site, request, state));
  add(checks, judge_preemption(site, request));
  return checks;
}

}  // namespace tenkai::doctor
