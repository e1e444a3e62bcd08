#include "launcher/doctor/profile_checks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "launcher/profile/value.h"

namespace tenkai::doctor {
namespace {

std::string place_of(const Profile& profile, std::string_view path) {
  const Value* value = profile.find(path);
  return value == nullptr ? "the profile" : to_string(value->place);
}

std::string set_in(const Profile& profile, std::string_view path) {
  return "change " + std::string(path) + " in " + place_of(profile, path);
}

auto in_order(const Place& place) { return std::pair(place.at.line, place.at.column); }

// From its name to the next one, or to the end of the file.
bool is_within(const ProfileFile& file, const std::string& profile, const Place& place) {
  auto part = file.profiles.find(profile);
  if (part == file.profiles.end() || place.file != part->second.place.file) return false;
  auto begin = in_order(part->second.place);
  auto is_between = [&](const auto& other) {
    auto start = in_order(other.second.place);
    return start > begin && start <= in_order(place);
  };
  return in_order(place) >= begin && std::ranges::none_of(file.profiles, is_between);
}

// All daemons of one element of an array are in one job, which has the memory for them.
void judge_memory(const Profile& profile, Checks& checks) {
  auto each = parse_memory(profile.text("limits.memory"));
  if (!each) return;
  auto of_node = parse_memory(profile.text("slurm.mem"));
  auto of_cpu = parse_memory(profile.text("slurm.mem-per-cpu"));
  std::uint64_t cpus = parse_count(profile.text("slurm.cpus-per-task")).value_or(1);
  std::uint64_t daemons =
      std::max<std::uint64_t>(1, parse_count(profile.text("slurm.array-chunk")).value_or(1));
  if (profile.find("slurm.nodes") != nullptr) daemons = 1;
  std::uint64_t given = of_node.value_or(of_cpu ? *of_cpu * cpus * daemons : 0);
  if (given == 0) return;
  if (*each * daemons > given)
    checks.push_back(warning("profile.memory", "limits.memory",
                             counted(daemons, "daemon") + " of " + profile.text("limits.memory") +
                                 " in one job are more than it has (" +
                                 profile.text(of_node ? "slurm.mem" : "slurm.mem-per-cpu") +
                                 "): Slurm would kill it before tenkai does",
                             set_in(profile, of_node ? "slurm.mem" : "slurm.mem-per-cpu")));
  else checks.push_back(ok("profile.memory", "limits.memory", "fits into the memory of a job"));
}

void judge_threads(const Profile& profile, Checks& checks) {
  auto threads = parse_count(profile.text("threads"));
  if (!threads || profile.text("launcher") != "slurm") return;
  std::uint64_t cpus = parse_count(profile.text("slurm.cpus-per-task")).value_or(1);
  if (*threads > cpus)
    checks.push_back(warning(
        "profile.threads", "threads",
        counted(*threads, "thread") + " of each daemon are more than its " + counted(cpus, "processor") +
            ": they would wait for each other",
        set_in(profile, "threads") + " to auto, or slurm.cpus-per-task to " + std::to_string(*threads)));
  else checks.push_back(ok("profile.threads", "threads", "no more than a daemon has processors"));
}

void judge_times(const Profile& profile, Checks& checks) {
  auto job = parse_time_limit(profile.text("slurm.time"));
  auto daemon = parse_duration(profile.text("limits.walltime"));
  if (!job || !daemon) return;
  if (*daemon > *job)
    checks.push_back(warning("profile.time", "limits.walltime",
                             profile.text("limits.walltime") + " is longer than the job itself lives (" +
                                 profile.text("slurm.time") + ")",
                             set_in(profile, "slurm.time")));
  else checks.push_back(ok("profile.time", "limits.walltime", "ends before the job does"));
}

}  // namespace

Checks judge_profile_files(const FoundProfiles& found, const std::string& name) {
  Checks checks;
  for (const Problem& each : found.problems)
    checks.push_back(wrong("profile.files", to_string(each.place), each.message, "tenkai profile check"));
  for (const Problem& each : warnings_of(found))
    checks.push_back(warning("profile.files", to_string(each.place), each.message, "tenkai profile check"));
  if (checks.empty())
    checks.push_back(ok("profile.files", "files of profiles",
                        found.files.empty() ? "there are none"
                                            : counted(found.profiles.all.size(), "profile") + " in " +
                                                  counted(found.files.size(), "file")));
  if (name.empty()) return checks;
  auto named = found.profiles.all.find(name);
  if (named == found.profiles.all.end()) {
    checks.push_back(wrong("profile.known", "profile " + name, no_such_profile(name, found.profiles),
                           "tenkai profile list"));
    return checks;
  }
  std::vector<std::string> locked;
  for (const ProfileFile& file : found.files) {
    for (const Lock& lock : file.locks) {
      for (const auto& [path, value] : named->second.values)
        if (holds(lock, name, path)) locked.push_back(path);
    }
  }
  checks.push_back(ok("profile.known", "profile " + name,
                      "defined in " + to_string(named->second.defined.front()) +
                          (locked.empty() ? "" : "; the site has locked " + join(locked, ", "))));
  return checks;
}

bool is_faultless(const FoundProfiles& found, const Profile& profile) {
  std::vector<std::string> parts = profile.ancestors;
  parts.push_back(profile.name);
  return std::ranges::none_of(found.problems, [&](const Problem& problem) {
    return std::ranges::any_of(found.files, [&](const ProfileFile& file) {
      return std::ranges::any_of(
          parts, [&](const std::string& part) { return is_within(file, part, problem.place); });
    });
  });
}

Checks judge_template(const Profile& profile, const Problems& problems, const Problems& warnings) {
  Checks checks;
  for (const Problem& each : problems)
    checks.push_back(wrong("profile.template", to_string(each.place), each.message, "tenkai profile check"));
  for (const Problem& each : warnings)
    checks.push_back(
        warning("profile.template", to_string(each.place), each.message, "tenkai profile check"));
  if (checks.empty()) {
    std::string own = profile.text("slurm.template");
    checks.push_back(ok("profile.template", "template", own.empty() ? "ours" : own + " is complete"));
  }
  return checks;
}

Checks judge_sense(const Profile& profile) {
  Checks checks;
  judge_memory(profile, checks);
  judge_threads(profile, checks);
  judge_times(profile, checks);
  return checks;
}

Checks judge_logs(const std::optional<LogFolder>& folder) {
  if (!folder) return {};
  std::string id = "profile.logs";
  if (!folder->is_there)
    return {wrong(id, folder->path, "there is no such folder for the logs of jobs",
                  "mkdir -p " + shell_quote(folder->path))};
  if (!folder->is_writable)
    return {wrong(id, folder->path, "nothing can be written to this folder for the logs of jobs",
                  "chmod u+wx " + shell_quote(folder->path) + ", or set slurm.logs to another")};
  if (folder->is_of_this_machine)
    return {warning(id, folder->path,
                    "this folder is of this machine alone: the logs of other nodes stay there",
                    "set slurm.logs to a folder that the nodes see, too")};
  return {ok(id, folder->path, "logs can be written there")};
}

}  // namespace tenkai::doctor
