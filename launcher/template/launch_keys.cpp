#include "launcher/template/launch_keys.h"

#include <string>
#include <string_view>
#include <vector>

namespace tenkai {
namespace {

using enum KeyType;

const std::vector<ProfileKey> launch_table = {
    {"launch.name", text, "", "tenkai-gpu-4f1c", "the name of the job"},
    {"launch.folder", text, "", "/home/me/.cache/tenkai/launch-1",
     "the folder of the launch; status files are written below it"},
    {"launch.log", text, "", "/home/me/.cache/tenkai/launch-1/log-%A_%a",
     "the file for output and errors, as `sbatch` writes it: `%j` and the like stand for something"},
    {"launch.array", word, "", "0-63", "the elements of the job array, from 0; not set: no array"},
    {"launch.rank-offset", count, "0", "64", "the rank of the array's element 0"},
    {"launch.ntasks", count, "", "1", "`--ntasks`: 1, or as many agents as `srun` is to start"},
    {"launch.tasks-per-node", count, "", "2",
     "`--ntasks-per-node`, of `tenkai run`: daemons for which there is room on each of `slurm.nodes`"},
    {"launch.cpus", count, "", "4", "`--cpus-per-task`: processors of one agent, for all of its daemons"},
    {"launch.gpus", word, "", "a100:2", "`--gpus-per-task`: graphics processors of one agent"},
    {"launch.threads", count, "", "4", "processors of one daemon, for `threads: auto`"},
    {"launch.requeue", word, "", "--no-requeue", "`--requeue` or `--no-requeue`"},
    {"launch.exclude", word, "", "n3,n7", "nodes that have failed before"},
    {"launch.seconds", count, "0", "5400", "how long the job lasts, where `slurm.time` says it"},
    {"launch.comment", text, "", "tenkai-4f1c", "what the job is found by, where the name is the site's"},
    {"launch.command", texts, "", "[Rscript, -e, …]",
     "the words of the command that starts an agent. No secret is in it"},
    {"launch.program", texts, "", "[/opt/tenkai/bin/tenkai, agent, …]",
     "the same by the program tenkai, at its path on the machine of the session; the path of Rscript "
     "follows"},
    {"launch.bring", text, "", "/home/me/.cache/tenkai/launch-1/bring/in_job.R",
     "what R evaluates first, where tenkai may be brought along"},
    {"launch.programs", text, "", "/opt/tenkai/libexec/tenkai",
     "the folder of the programs of tenkai that are not for people, such as `tenkai-mpi-spawn`"},
    {"launch.status-file", script, "", "write_status() { …", "shell code of ours: see below"},
    {"launch.beacons", script, "", "beacon() { …",
     "the same under the names it had before, for templates that are older; goes with the next version"},
    {"launch.environment", script, "", "module load R/4.3",
     "shell code of ours: the environment that the profile asks for"},
    {"launch.agent", script, "", "agent=(Rscript -e …",
     "shell code of ours: the array `agent`, the command that starts an agent the quickest way there is "
     "here"},
};

}  // namespace

ProfileKeys launch_keys() { return launch_table; }

const ProfileKey* find_template_key(std::string_view path) {
  const ProfileKey* key = find_key(launch_keys(), path);
  return key == nullptr ? find_key(profile_keys(), path) : key;
}

std::vector<std::string> template_key_names() {
  std::vector<std::string> names;
  for (ProfileKeys keys : {launch_keys(), profile_keys()}) {
    for (const ProfileKey& key : keys) names.emplace_back(key.path);
  }
  return names;
}

}  // namespace tenkai
