#include "plugins/slurm/submit_failure.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "base/text.h"

namespace tenkai::slurm {
namespace {

bool has_any(std::string_view text, std::initializer_list<std::string_view> pieces) {
  return std::any_of(pieces.begin(), pieces.end(),
                     [text](std::string_view piece) { return text.find(piece) != text.npos; });
}

std::string how(const SlurmOutcome& outcome) {
  if (outcome.timed_out) return "sbatch did not end in time";
  std::string words = own_words(outcome.errors);
  if (!words.empty()) return words;
  if (outcome.signal) return "sbatch was killed by signal " + std::to_string(*outcome.signal);
  if (outcome.exit_code == 0)
    return "sbatch told no job id, or several numbers: " + printable(trim(outcome.output));
  return "sbatch ended with exit code " + std::to_string(outcome.exit_code.value_or(-1)) +
         " and said nothing";
}

// Limits that have a name of their own are told on a line by themselves, as one word.
// Slurm has one sentence for all of them.
bool is_of_number(std::string_view errors) {
  if (!has_any(errors, {"Job violates accounting"})) return false;
  for (std::string_view line : split(errors, '\n')) {
    line = trim(line);
    std::string_view word = line.substr(line.rfind(' ') + 1);
    bool is_named = line.starts_with("sbatch: error: ") && line.size() == word.size() + 15 &&
                    (word.starts_with("QOS") || word.starts_with("Assoc") || word.starts_with("Max"));
    if (is_named) return has_any(word, {"SubmitJob"});
  }
  return true;
}

std::string inside(const std::string& own_job) {
  if (own_job.empty()) return {};
  return " (this session runs inside of job " + own_job +
         ", and a site may not let compute nodes submit: begin it on a login node)";
}

}  // namespace

// "sbatch: error: Batch job submission failed: Invalid account …"
std::string own_words(std::string_view errors) {
  std::vector<std::string> sentences;
  for (std::string_view line : split(errors, '\n')) {
    line = trim(line);
    for (std::string_view prefix :
         {"sbatch: ", "squeue: ", "sacct: ", "scancel: ", "slurm_load_jobs ", "error: "}) {
      if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
    }
    if (!line.empty()) sentences.push_back(printable(line, 500));
  }
  return join(sentences, "; ");
}

bool is_full(const SlurmOutcome& outcome) {
  return has_any(outcome.errors, {"temporarily unable to accept job", "Slurm job queue full",
                                  "Resource temporarily unavailable"});
}

SubmitProblem submit_problem(const SlurmOutcome& outcome) {
  if (outcome.missing) return SubmitProblem::missing;
  std::string_view errors = outcome.errors;
  if (outcome.timed_out || outcome.signal || outcome.exit_code == 0) return SubmitProblem::unclear;
  if (has_any(errors,
              {"Socket timed out", "Zero Bytes were transmitted", "Transport endpoint is not connected",
               "Unexpected message received", "Connection reset"}))
    return SubmitProblem::unclear;
  if (has_any(errors, {"Unable to contact slurm controller", "Unable to contact Slurm controller",
                       "Connection refused", "Slurm backup controller in standby mode"}))
    return SubmitProblem::unreachable;
  if (is_of_number(errors) || is_full(outcome)) return SubmitProblem::too_many;
  if (has_any(errors, {"Submission rate too high", "Slurm controller has reached its limit"}))
    return SubmitProblem::temporary;
  if (has_any(errors, {"Invalid job array specification"})) return SubmitProblem::array_size;
  return SubmitProblem::refused;
}

Failure submit_failure(SubmitProblem problem, const SlurmOutcome& outcome, const std::string& own_job) {
  switch (problem) {
    case SubmitProblem::missing:
      return {
          cause::command_missing,
          "there is no program 'sbatch' in the PATH: is this a login node of a cluster with Slurm, or is a "
          "module to be loaded first?" +
              inside(own_job)};
    case SubmitProblem::unreachable:
      return {cause::slurm_unreachable, "Slurm's controller cannot be reached: " + how(outcome)};
    case SubmitProblem::unclear:
      return {cause::slurm_unreachable,
              "Slurm has not said whether it took the job, and none was found by its name: " + how(outcome)};
    case SubmitProblem::too_many:
      return {cause::submit_limit,
              "Slurm takes no more jobs now: " + how(outcome) +
                  "; it is a limit of how many there may be, of yours or of all: launch again when others "
                  "have ended, or put more daemons into each job (slurm.array-chunk)"};
    case SubmitProblem::array_size:
      return {cause::submit_refused,
              "sbatch refused the job: " + how(outcome) +
                  "; where no arrays are allowed, slurm.nodes asks for one job over several nodes"};
    case SubmitProblem::temporary:
    case SubmitProblem::refused: break;
  }
  bool denied = has_any(outcome.errors, {"denied", "not allowed", "not permitted", "prohibited"});
  return {cause::submit_refused,
          "sbatch refused the job: " + how(outcome) + (denied ? inside(own_job) : std::string())};
}

}  // namespace tenkai::slurm
