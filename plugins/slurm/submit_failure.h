// Why sbatch has not taken a job, and whether it may be asked again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "launcher/plugin/failure.h"

namespace tenkai::slurm {

// How a program of Slurm's has ended.
struct SlurmOutcome {
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool timed_out = false;  // and was ended by us
  bool missing = false;    // there is no such program
  std::string output;
  std::string errors;  // the last lines

  bool is_good() const { return exit_code == 0 && !timed_out && !missing; }
};

enum class SubmitProblem {
  missing,      // there is no sbatch
  temporary,    // a limit that passes: ask again in a while
  unreachable,  // the controller: it may be starting again
  unclear,      // the job may have been taken: look for it first
  array_size,   // an array of so many elements is not allowed
  too_many,     // a limit of how many jobs there may be: fewer might be taken
  refused
};
SubmitProblem submit_problem(const SlurmOutcome& outcome);
// Whether Slurm has no room for so many jobs; sbatch then asks by itself, for two minutes.
bool is_full(const SlurmOutcome& outcome);

// For the user. `own_job` is the job in which we run ourselves, if any: many sites do
// not let compute nodes submit.
Failure submit_failure(SubmitProblem problem, const SlurmOutcome& outcome, const std::string& own_job);

// The sentences of Slurm's program, without "sbatch: error: " before each.
std::string own_words(std::string_view errors);

}  // namespace tenkai::slurm
