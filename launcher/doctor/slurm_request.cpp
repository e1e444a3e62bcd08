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

std::string change(const SlurmWishes& wishes, const std::string& key) {
  auto place = wishes.places.find(key);
  return place == wishes.places.end() ? "set " + key + " in the profile"
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

Check no_partition(const Site& site, const SlurmWishes& wishes) {
  std::vector<std::string> names;
  for (const SlurmPartition& each : site.partitions) names.push_back(each.name);
  if (wishes.partition.empty())
    return wrong("slurm.partition", "partition",
                 "none is said, and Slurm has no default among " + join(names, ", "),
                 change(wishes, "slurm.partition"));
  std::string near = nearest(wishes.partition, names);
  return wrong("slurm.partition", "partition " + wishes.partition,
               "there is none of this name" + (near.empty() ? "" : "; did you mean '" + near + "'?") +
                   " There are " + join(names, ", "),
               change(wishes, "slurm.partition"));
}

// Each of several partitions would do; the first is looked at.
const SlurmPartition* find_partition(const Site& site, const std::string& names) {
  std::string_view name = split(names, ',').front();
  for (const SlurmPartition& each : site.partitions)
    if (name.empty() ? each.is_default : each.name == name) return &each;
  return nullptr;
}

Check judge_partition(const Site& site, const SlurmWishes& wishes, const SlurmState& state) {
  const SlurmPartition& partition = *site.partition;
  std::string what = "partition " + partition.name;
  auto bad = [&](std::string sentence, const std::string& key) {
    return wrong("slurm.partition", what, std::move(sentence), change(wishes, key));
  };
  if (std::string up = partition.field("State"); up != "UP" && !up.empty())
    return bad("takes no jobs now (" + up + ")", "slurm.partition");
  if (!wishes.account.empty() && !allows(partition.field("AllowAccounts"), wishes.account))
    return bad("is not for the account " + wishes.account + ", but for " + partition.field("AllowAccounts"),
               "slurm.account");
  if (!wishes.qos.empty() && !allows(partition.field("AllowQos"), wishes.qos))
    return bad("is not for the QOS " + wishes.qos + ", but for " + partition.field("AllowQos"), "slurm.qos");
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

Check judge_time(const Site& site, const SlurmWishes& wishes) {
  auto most = site.partition->most_time();
  auto wanted = parse_time_limit(wishes.time);
  if (wishes.time.empty()) {
    std::string usual = site.partition->field("DefaultTime");
    if (usual.empty() || usual == "NONE") usual = site.partition->field("MaxTime");
    return ok("slurm.time", "time of a job", "not said: jobs end after " + usual + ", as the partition says");
  }
  if (most && wanted && *wanted > *most)
    return wrong(
        "slurm.time", "time of a job",
        wishes.time + " is more than the partition allows (" + site.partition->field("MaxTime") + ")",
        change(wishes, "slurm.time"));
  return ok("slurm.time", "time of a job", wishes.time);
}

Check judge_size(const std::string& id, const std::string& what, std::uint64_t wanted, std::uint64_t most,
                 const std::string& in_words, const std::string& most_in_words, const std::string& mend) {
  if (most > 0 && wanted > most)
    return wrong(id, what, in_words + " are more than any node of the partition has (" + most_in_words + ")",
                 mend);
  return ok(id, what, in_words);
}

Checks judge_sizes(const Site& site, const SlurmWishes& wishes) {
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
  if (wishes.memory > 0)
    checks.push_back(judge_size("slurm.memory", "memory of a job", wishes.memory, memory,
                                in_gib(wishes.memory), in_gib(memory), change(wishes, "slurm.mem")));
  checks.push_back(judge_size("slurm.processors", "processors of a job", wishes.processors, processors,
                              std::to_string(wishes.processors), std::to_string(processors),
                              change(wishes, "slurm.cpus-per-task")));
  if (wishes.wants_gpus && !site.nodes.empty())
    checks.push_back(has_gpus ? ok("slurm.gpus", "graphics processors", "the partition has some")
                              : wrong("slurm.gpus", "graphics processors",
                                      "no node of " + site.partition->name + " has one",
                                      change(wishes, "slurm.gpus-per-task")));
  return checks;
}

// Judged by the accounts that the database knows; without a database Slurm takes any.
Checks judge_account(const Site& site, const SlurmWishes& wishes) {
  if (site.associations.empty()) return {};
  std::vector<std::string> accounts;
  std::vector<std::string> qos;
  for (const SlurmAssociation& each : site.associations) {
    accounts.push_back(each.account);
    if (wishes.account.empty() || each.account == wishes.account)
      qos.insert(qos.end(), each.qos.begin(), each.qos.end());
  }
  Checks checks;
  bool known = wishes.account.empty() || std::ranges::count(accounts, wishes.account) > 0;
  checks.push_back(
      known ? ok("slurm.account", "account", wishes.account.empty() ? "the usual one" : wishes.account)
            : wrong("slurm.account", "account " + wishes.account,
                    "it is not yours; yours are " + join(accounts, ", "), change(wishes, "slurm.account")));
  if (wishes.qos.empty() || !known) return checks;
  checks.push_back(qos.empty() || std::ranges::count(qos, wishes.qos) > 0
                       ? ok("slurm.qos", "QOS", wishes.qos)
                       : wrong("slurm.qos", "QOS " + wishes.qos,
                               "it is not yours here; there are " + join(qos, ", "),
                               change(wishes, "slurm.qos")));
  return checks;
}

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(split(text, '\n'), [](auto line) { return !trim(line).empty(); }));
}

Check judge_job_limit(const Site& site, const SlurmWishes& wishes, const SlurmState& state) {
  std::string what = "how many jobs there may be";
  std::uint64_t own = lines_in(state.said.queue.output);
  std::optional<std::uint64_t> most;
  if (auto found = site.config.find("MaxJobCount"); found != site.config.end())
    most = to_number<std::uint64_t>(found->second);
  for (const SlurmAssociation& each : site.associations) {
    bool is_meant = wishes.account.empty() || each.account == wishes.account;
    if (is_meant && each.most_jobs && (!most || *each.most_jobs < *most)) most = each.most_jobs;
  }
  if (!most) return ok("slurm.limit", what, "no limit is known");
  std::string sentence = "the profile has " + counted(wishes.jobs, "job") + ", " + std::to_string(own) +
                         " of yours are there, and the limit is " + std::to_string(*most);
  if (own + wishes.jobs > *most)
    return warning("slurm.limit", what, sentence,
                   "have fewer daemons, or more in each job: " + change(wishes, "slurm.array-chunk"));
  return ok("slurm.limit", what, sentence);
}

Checks judge_preemption(const Site& site, const SlurmWishes& wishes) {
  std::string mode = site.partition->field("PreemptMode");
  if (mode.empty() || mode == "OFF") return {};
  std::string what = "preemption in " + site.partition->name;
  if (wishes.retries_preempted)
    return {ok("slurm.preemption", what, mode + ": tasks of jobs that have to make room are tried again")};
  return {warning("slurm.preemption", what, mode + ": tasks of jobs that have to make room are lost",
                  change(wishes, "retries.preempted") + " to 2 or more")};
}

}  // namespace

SlurmWishes slurm_wishes(const Profile& profile, std::size_t daemons) {
  SlurmWishes wishes;
  wishes.partition = profile.text("slurm.partition");
  // Slurm itself knows accounts in small letters.
  wishes.account = profile.text("slurm.account");
  for (char& c : wishes.account) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  wishes.qos = profile.text("slurm.qos");
  wishes.time = profile.text("slurm.time");
  wishes.processors = parse_count(profile.text("slurm.cpus-per-task")).value_or(1);
  wishes.wants_gpus = profile.find("slurm.gpus-per-task") != nullptr;
  wishes.nodes = parse_count(profile.text("slurm.nodes")).value_or(0);
  std::uint64_t chunk =
      std::max<std::uint64_t>(1, parse_count(profile.text("slurm.array-chunk")).value_or(1));
  wishes.jobs = wishes.nodes > 0 ? 1 : (daemons + chunk - 1) / chunk;
  if (wishes.nodes == 0) wishes.processors *= chunk;
  wishes.memory = parse_memory(profile.text("slurm.mem")).value_or(0);
  if (auto each = parse_memory(profile.text("slurm.mem-per-cpu"))) wishes.memory = *each * wishes.processors;
  std::string again = profile.text("retries.preempted");
  wishes.retries_preempted = (again.empty() ? profile.text("retries.default") : again) != "0";
  for (const auto& [path, value] : profile.values) wishes.places[path] = to_string(value.place);
  return wishes;
}

Checks judge_wishes(const SlurmState& state, const SlurmWishes& wishes) {
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
  site.partition = find_partition(site, wishes.partition);
  if (site.partition == nullptr) return {no_partition(site, wishes)};
  for (const SlurmNodes& each : parse_nodes(state.said.nodes.output))
    if (each.partition == site.partition->name) site.nodes.push_back(each);
  Checks checks = {judge_partition(site, wishes, state), judge_nodes(site), judge_time(site, wishes)};
  add(checks, judge_sizes(site, wishes));
  add(checks, judge_account(site, wishes));
  checks.push_back(judge_job_limit(site, wishes, state));
  add(checks, judge_preemption(site, wishes));
  return checks;
}

}  // namespace tenkai::doctor
