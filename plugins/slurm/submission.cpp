#include "plugins/slurm/submission.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tenkai::slurm {
namespace {

using std::chrono::seconds;

// Before it is tried for the second and third time.
seconds retry_pause(int tries) { return tries <= 1 ? seconds(5) : seconds(10); }
// A job that was just taken is not seen at once.
constexpr seconds look_pause{5};
constexpr int max_looks = 3;

}  // namespace

std::string batch_tag(const std::string& job_tag, std::size_t first) {
  return first == 0 ? job_tag : job_tag + "r" + std::to_string(first);
}

Submission::Submission(std::string job_tag, std::size_t agents, std::size_t elements, std::string own_job)
    : job_tag_(std::move(job_tag)), agents_(agents), elements_(elements), own_job_(std::move(own_job)) {
  begin_batch();
}

std::size_t Submission::agents_taken() const {
  return taken_.empty() ? 0 : taken_.back().batch.first + taken_.back().batch.agents;
}

void Submission::begin_batch() {
  std::size_t first = agents_taken();
  what_ = first < agents_ ? What::submit : What::done;
  tries_ = 0;
  looks_ = 0;
  in_doubt_ = false;
  batch_.first = first;
  batch_.agents = size_of_batch(agents_ - first);
  batch_.job_tag = batch_tag(job_tag_, first);
}

std::size_t Submission::size_of_batch(std::size_t rest) const {
  if (elements_ == 0) return agents_;
  std::size_t size = std::min(elements_, rest);
  return too_many_ ? std::min(size, std::max<std::size_t>(*too_many_ / 2, 1)) : size;
}

std::string Submission::array() const {
  return elements_ == 0 ? std::string() : "0-" + std::to_string(batch_.agents - 1);
}

Submission::Step Submission::next() {
  if (pause_.count() > 0) return {What::wait, std::exchange(pause_, seconds(0))};
  return {what_, seconds(0)};
}

void Submission::wait(seconds pause, What then) {
  pause_ = pause;
  what_ = then;
}

void Submission::take(SubmittedJob job) {
  if (job.cluster.empty()) job.cluster = clusters_;
  taken_.push_back({batch_, std::move(job)});
  // More than were thought to be let in: other jobs have ended.
  if (too_many_ && batch_.agents >= *too_many_) too_many_.reset();
  if (too_many_) *too_many_ -= batch_.agents;
  begin_batch();
  if (what_ == What::submit && too_many_ == 1U) fail(limit_);
}

void Submission::fail(Failure failure) {
  failure_ = std::move(failure);
  what_ = What::failed;
}

// How many there is room for is found by halves. A limit that passes is waited for where
// there is room for none.
void Submission::on_too_many(const SlurmOutcome& outcome) {
  limit_ = submit_failure(SubmitProblem::too_many, outcome, own_job_);
  bool is_divisible = elements_ != 0 && batch_.agents > 1;
  if (elements_ != 0) too_many_ = batch_.agents;
  if (is_divisible) return begin_batch();
  if (taken_.empty() && tries_ < max_tries) return wait(retry_pause(tries_), What::submit);
  fail(limit_);
}

void Submission::on_submitted(const SlurmOutcome& outcome) {
  ++tries_;
  last_ = outcome;
  std::optional<SubmittedJob> job = submitted_job(outcome.output);
  if (job && outcome.is_good()) return take(*job);
  SubmitProblem problem = submit_problem(outcome);
  bool may_try = tries_ < max_tries;
  if (problem == SubmitProblem::array_size && elements_ > 1 && batch_.agents > 1) {
    elements_ = (batch_.agents + 1) / 2;
    return begin_batch();
  }
  if (problem == SubmitProblem::too_many) return on_too_many(outcome);
  if (problem == SubmitProblem::unclear) {
    in_doubt_ = true;
    looks_ = 0;
    what_ = What::look_up;
  } else if (may_try && (problem == SubmitProblem::temporary || problem == SubmitProblem::unreachable)) {
    wait(retry_pause(tries_), What::submit);
  } else {
    fail(submit_failure(problem, outcome, own_job_));
  }
}

void Submission::on_looked_up(bool answered, const std::optional<SubmittedJob>& job) {
  if (job) return take(*job);
  if (++looks_ < max_looks) return wait(look_pause, What::look_up);
  // Only where Slurm has said that there is none: never twice.
  if (answered && is_full(last_)) {
    in_doubt_ = false;
    on_too_many(last_);
  } else if (answered && tries_ < max_tries) {
    what_ = What::submit;
  } else {
    fail(submit_failure(SubmitProblem::unclear, last_, own_job_));
  }
}

}  // namespace tenkai::slurm
