// What a site's Slurm makes of a profile, as far as it tells before a job is there.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/doctor/question.h"
#include "launcher/doctor/slurm_site.h"
#include "launcher/profile/profiles.h"

namespace tenkai::doctor {

// What a profile asks Slurm for.
struct SlurmRequest {
  std::string partition, account, qos, time;
  std::uint64_t memory = 0;      // bytes, of a node
  std::uint64_t processors = 1;  // of one daemon
  bool wants_gpus = false;
  std::uint64_t nodes = 0;  // of one job over so many; 0: an array
  std::uint64_t jobs = 1;   // elements of all its arrays
  bool retries_preempted = true;
  std::map<std::string, std::string> places;  // where a key is said
};
SlurmRequest slurm_request(const Profile& profile, std::size_t daemons);

struct SlurmAnswers {
  std::vector<std::string> missing;  // programs
  Answer version, ping, partitions, nodes, config, queue, associations, database;
};

struct SlurmState {
  SlurmAnswers said;
  std::chrono::milliseconds limit{0};  // of each answer
  bool is_wanted = false;              // a profile is launched by it
  std::string own_job;                 // the job that we are in
  std::string host;                    // our name, in short
  std::vector<std::string> variables;  // that will change what sbatch is asked for: "SBATCH_QOS=x"
};

// slurm.programs, slurm.version, slurm.answer, slurm.queue, slurm.database, slurm.variables,
// slurm.job. Whether there is a Slurm that answers is what it returns in `answers`.
Checks judge_slurm(const SlurmState& state, bool& answers);

// slurm.partition, slurm.nodes, slurm.time, slurm.memory, slurm.processors, slurm.gpus,
// slurm.account, slurm.qos, slurm.limit, slurm.preemption.
Checks judge_request(const SlurmState& state, const SlurmRequest& request);

// The first of several calls of sbatch, each with a script behind it (<<'WORD'), as the plugin renders
// them.
std::string first_submission(std::string_view rendered);
// slurm.test: of `sbatch --test-only` of a profile's own script, or of the plugin that renders none;
// or that it was not asked, where no profile can be launched.
Check not_tested();
Check judge_test(const std::string& profile, const Answer& answer, std::chrono::milliseconds limit);

}  // namespace tenkai::doctor
