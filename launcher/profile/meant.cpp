#include "launcher/profile/meant.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "launcher/profile/nearest.h"

namespace tenkai {
namespace {

struct Synonym {
  std::string_view name;  // small letters, with '-'
  std::string_view key;
};

// What sbatch, other batch systems and other launchers call what a key of ours says: in the
// section of Slurm, and at the top.
constexpr std::array of_jobs{
    Synonym{"walltime", "slurm.time"},
    Synonym{"wall-time", "slurm.time"},
    Synonym{"time-limit", "slurm.time"},
    Synonym{"timelimit", "slurm.time"},
    Synonym{"timeout", "slurm.time"},
    Synonym{"runtime", "slurm.time"},
    Synonym{"memory", "slurm.mem"},
    Synonym{"ram", "slurm.mem"},
    Synonym{"mem-per-node", "slurm.mem"},
    Synonym{"memory-per-node", "slurm.mem"},
    Synonym{"memory-per-cpu", "slurm.mem-per-cpu"},
    Synonym{"mem-per-core", "slurm.mem-per-cpu"},
    Synonym{"queue", "slurm.partition"},
    Synonym{"project", "slurm.account"},
    Synonym{"quality-of-service", "slurm.qos"},
    Synonym{"cpus", "slurm.cpus-per-task"},
    Synonym{"cpu", "slurm.cpus-per-task"},
    Synonym{"ncpus", "slurm.cpus-per-task"},
    Synonym{"num-cpus", "slurm.cpus-per-task"},
    Synonym{"cores", "slurm.cpus-per-task"},
    Synonym{"ncores", "slurm.cpus-per-task"},
    Synonym{"cores-per-task", "slurm.cpus-per-task"},
    Synonym{"cpus-per-daemon", "slurm.cpus-per-task"},
    Synonym{"processors", "slurm.cpus-per-task"},
    Synonym{"gpus", "slurm.gpus-per-task"},
    Synonym{"gpu", "slurm.gpus-per-task"},
    Synonym{"ngpus", "slurm.gpus-per-task"},
    Synonym{"num-nodes", "slurm.nodes"},
    Synonym{"node-count", "slurm.nodes"},
    Synonym{"nnodes", "slurm.nodes"},
    Synonym{"ntasks", "daemons"},
    Synonym{"tasks", "daemons"},
    Synonym{"workers", "daemons"},
    Synonym{"n-workers", "daemons"},
    Synonym{"n-jobs", "daemons"},
    Synonym{"njobs", "daemons"},
    Synonym{"jobs", "daemons"},
    Synonym{"array", "daemons"},
    Synonym{"chunk", "slurm.array-chunk"},
    Synonym{"chunk-size", "slurm.array-chunk"},
    Synonym{"daemons-per-job", "slurm.array-chunk"},
    Synonym{"workers-per-job", "slurm.array-chunk"},
    Synonym{"output", "slurm.logs"},
    Synonym{"error", "slurm.logs"},
    Synonym{"stdout", "slurm.logs"},
    Synonym{"stderr", "slurm.logs"},
    Synonym{"log", "slurm.logs"},
    Synonym{"log-folder", "slurm.logs"},
    Synonym{"log-directory", "slurm.logs"},
    Synonym{"script", "slurm.template"},
    Synonym{"job-name", "slurm.job-tag"},
    Synonym{"args", "slurm.options"},
    Synonym{"extra-args", "slurm.options"},
    Synonym{"sbatch-args", "slurm.options"},
    Synonym{"job-extra", "slurm.options"},
    Synonym{"directives", "slurm.options"},
    Synonym{"module", "environment.modules"},
    Synonym{"env", "environment.variables"},
    Synonym{"export", "environment.variables"},
    Synonym{"variables", "environment.variables"},
    Synonym{"prolog", "environment.prologue"},
    Synonym{"setup", "environment.prologue"},
    Synonym{"script-lines", "environment.prologue"},
    Synonym{"conda-env", "environment.conda"},
    Synonym{"container", "environment.apptainer"},
    Synonym{"singularity", "environment.apptainer"},
    Synonym{"host", "ssh.remotes"},
    Synonym{"hosts", "ssh.remotes"},
};

// The same, for the names of other sections.
constexpr std::array of_sections{
    Synonym{"retries.timeout", "retries.time_limit"},
    Synonym{"limits.time", "limits.walltime"},
    Synonym{"limits.mem", "limits.memory"},
    Synonym{"limits.idle", "limits.idletime"},
    Synonym{"limits.timeout", "limits.idletime"},
    Synonym{"limits.tasks", "limits.maxtasks"},
    Synonym{"scale.minimum", "scale.min"},
    Synonym{"scale.maximum", "scale.max"},
    Synonym{"environment.module", "environment.modules"},
    Synonym{"environment.env", "environment.variables"},
    Synonym{"environment.prolog", "environment.prologue"},
    Synonym{"environment.setup", "environment.prologue"},
    Synonym{"environment.container", "environment.apptainer"},
    Synonym{"environment.singularity", "environment.apptainer"},
    Synonym{"environment.image", "environment.apptainer"},
    Synonym{"ssh.host", "ssh.remotes"},
    Synonym{"ssh.hosts", "ssh.remotes"},
    Synonym{"ssh.nodes", "ssh.remotes"},
    Synonym{"ssh.machines", "ssh.remotes"},
    Synonym{"ssh.user", "ssh.remotes"},
    Synonym{"ssh.port", "ssh.remotes"},
    Synonym{"ssh.identity", "ssh.config"},
    Synonym{"ssh.identityfile", "ssh.config"},
    Synonym{"ssh.key", "ssh.config"},
};

// sbatch has them, and no key of ours says it.
constexpr std::array<std::string_view, 49> with_value{"acctg-freq",
                                                      "batch",
                                                      "bb",
                                                      "begin",
                                                      "chdir",
                                                      "cluster",
                                                      "clusters",
                                                      "constraint",
                                                      "core-spec",
                                                      "cores-per-socket",
                                                      "cpu-freq",
                                                      "cpus-per-gpu",
                                                      "deadline",
                                                      "delay-boot",
                                                      "dependency",
                                                      "distribution",
                                                      "exclude",
                                                      "extra",
                                                      "extra-node-info",
                                                      "gpu-bind",
                                                      "gpu-freq",
                                                      "gpus-per-node",
                                                      "gpus-per-socket",
                                                      "gres",
                                                      "gres-flags",
                                                      "hint",
                                                      "licenses",
                                                      "mail-type",
                                                      "mail-user",
                                                      "mem-bind",
                                                      "mem-per-gpu",
                                                      "mincpus",
                                                      "network",
                                                      "nice",
                                                      "nodelist",
                                                      "ntasks-per-core",
                                                      "ntasks-per-gpu",
                                                      "ntasks-per-node",
                                                      "ntasks-per-socket",
                                                      "prefer",
                                                      "priority",
                                                      "reservation",
                                                      "sockets-per-node",
                                                      "switches",
                                                      "thread-spec",
                                                      "threads-per-core",
                                                      "time-min",
                                                      "tmp",
                                                      "wckey"};
constexpr std::array<std::string_view, 12> without_value{
    "contiguous",    "exclusive",  "get-user-env", "hold",    "kill-on-invalid-dep", "no-kill", "no-requeue",
    "oversubscribe", "overcommit", "reboot",       "requeue", "spread-job"};

template <class Table>
std::string_view key_of(const Table& table, std::string_view name) {
  auto found = std::ranges::find(table, name, &Synonym::name);
  return found == table.end() ? std::string_view() : found->key;
}

std::string in_quotes(std::string_view key) { return "'" + std::string(key) + "'"; }

// Where what is written means more than its name says.
std::string note_on(std::string_view key) {
  if (key == "slurm.time") return " (a number alone is minutes)";
  if (key == "daemons") return ", outside of every section";
  if (key == "slurm.job-tag") return " (comment leaves the names of jobs to slurm.options)";
  if (key == "ssh.remotes") return " (ssh://user@host:port)";
  return "";
}

// "": sbatch has no such option.
std::string as_option(std::string_view name) {
  bool is_flag = std::ranges::count(without_value, name) > 0;
  if (!is_flag && std::ranges::count(with_value, name) == 0) return "";
  return "it is an option of sbatch without a key: write slurm: {options: [--" + std::string(name) +
         (is_flag ? "" : "=…") + "]}";
}

bool is_launchers(std::string_view section) {
  return section == "ssh" || section == "command" || section == "slurm" || section == "mpi";
}

std::string_view section_of(std::string_view path) {
  return path.substr(0, std::min(path.find('.'), path.size()));
}

// The key of that name in another section; what is another launcher's is not meant.
std::string_view elsewhere(ProfileKeys keys, std::string_view section, std::string_view name) {
  std::string end = "." + std::string(name);
  for (const ProfileKey& key : keys) {
    if (is_launchers(section) && is_launchers(section_of(key.path))) continue;
    if (key.path == name || key.path.ends_with(end)) return key.path;
  }
  return {};
}

// What a name means that others have for it; "": nothing.
std::string known_to_others(ProfileKeys keys, std::string_view section, std::string_view name) {
  std::string folded = folded_name(name);
  bool is_of_job = section == "slurm" || section.empty();
  std::string_view key =
      is_of_job ? key_of(of_jobs, folded) : key_of(of_sections, std::string(section) + "." + folded);
  if (key.empty()) return is_of_job && find_key(keys, "slurm.options") != nullptr ? as_option(folded) : "";
  // A site's caps are other keys.
  if (find_key(keys, key) == nullptr && !is_section(keys, key)) return "";
  // At the top it may be meant of a daemon as well as of a job.
  std::string_view other = section.empty() ? elsewhere(keys, section, folded) : std::string_view();
  std::string or_of_daemon =
      other.empty() || other == key ? "" : ", or " + in_quotes(other) + ", of each daemon";
  return "did you mean " + in_quotes(key) + note_on(key) + or_of_daemon + "?";
}

}  // namespace

std::string meant_by(ProfileKeys keys, std::string_view section, std::string_view name) {
  std::vector<std::string> known = names_in(keys, section);
  if (is_section(keys, section) && known.empty())
    return "a name has letters, digits and '_', and no digit in front";
  std::string others = known_to_others(keys, section, name);
  if (!others.empty()) return others;
  std::string meant = nearest(name, known);
  if (meant.empty()) meant = elsewhere(keys, section, name);
  return meant.empty() ? "known are " + join(known, ", ") : "did you mean " + in_quotes(meant) + "?";
}

}  // namespace tenkai
