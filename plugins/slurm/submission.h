// How a launch comes to be submitted: with how many calls of sbatch, how often each
// is tried, and what is done where nobody knows whether a job was taken. Decided
// here; others run the programs.
//
//   submit → taken → the next batch … → done
//      ├ temporary, unreachable → wait → submit, at most three times
//      ├ array too large → in halves
//      ├ too many jobs → as many as there is room for; the rest is told
//      ├ unclear → look up, three times → taken, or submit again
//      ╰ refused → failed
//
// What was taken stays taken, whatever becomes of the rest.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/slurm/slurm_text.h"
#include "plugins/slurm/submit_failure.h"

namespace tenkai::slurm {

// What one call of sbatch asks for.
struct Batch {
  std::size_t first = 0;   // the number of its first agent
  std::size_t agents = 1;  // elements of its array, or ranks of its job
  std::string job_tag;     // a text that no other job has

  bool operator==(const Batch&) const = default;
};

struct TakenBatch {
  Batch batch;
  SubmittedJob job;
};

// The job tag of a batch, by the number of its first agent.
std::string batch_tag(const std::string& job_tag, std::size_t first);

class Submission {
 public:
  static constexpr std::size_t max_elements = 1000;  // Slurm's own limit, if a site sets none
  static constexpr int max_tries = 3;

  enum class What { submit, look_up, wait, done, failed };
  struct Step {
    What what = What::done;
    std::chrono::seconds pause{0};  // wait: and then next() again
  };

  // `job_tag` is that of its first batch. `elements`: at most so many in an array;
  // 0: no array, but one job with a rank for each agent.
  Submission(std::string job_tag, std::size_t agents, std::size_t elements, std::string own_job);

  // Where it is submitted to: clusters_of(). A job that comes without its cluster is there.
  void set_clusters(std::string clusters) { clusters_ = std::move(clusters); }

  Step next();
  // How the step has ended that next() has told.
  void on_submitted(const SlurmOutcome& outcome);
  // In a dry run: as if it had been taken.
  void on_rendered() { take({}); }
  // `answered`: Slurm has said which jobs there are; `job`: the one that was looked for.
  void on_looked_up(bool answered, const std::optional<SubmittedJob>& job);

  const Batch& batch() const { return batch_; }  // to submit, to look up
  const std::string& clusters() const { return clusters_; }
  std::string array() const;  // of --array; empty: none
  std::size_t elements() const { return elements_; }
  // The batches that were taken, in the order of the agents; where it has failed, those that
  // were taken before.
  const std::vector<TakenBatch>& taken() const { return taken_; }
  std::size_t agents_taken() const;
  const Failure& failure() const { return failure_; }
  // Whether Slurm may have taken batch(), though nobody has seen it.
  bool is_in_doubt() const { return in_doubt_; }

 private:
  void begin_batch();
  std::size_t size_of_batch(std::size_t rest) const;
  void on_too_many(const SlurmOutcome& outcome);
  void take(SubmittedJob job);
  void fail(Failure failure);
  void wait(std::chrono::seconds pause, What then);

  std::string job_tag_;
  std::size_t agents_;
  std::size_t elements_;
  std::string own_job_;
  std::string clusters_;
  // A limit of the number of jobs lets in fewer than so many more.
  std::optional<std::size_t> too_many_;
  Batch batch_;
  std::vector<TakenBatch> taken_;
  What what_ = What::submit;
  std::chrono::seconds pause_{0};
  int tries_ = 0;
  int looks_ = 0;
  bool in_doubt_ = false;
  SlurmOutcome last_;
  Failure limit_;  // of the last refusal for a number
  Failure failure_;
};

}  // namespace tenkai::slurm
