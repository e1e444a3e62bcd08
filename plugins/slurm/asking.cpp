#include "plugins/slurm/asking.h"

#include <chrono>

namespace tenkai::slurm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int max_absences = 3;

// When to ask about a job that does not come, or about which there is a reason to ask. Slurm
// mostly knows what it has against a job when it has taken it, and somebody waits.
const WatchPlan& queue_plan() {
  static const WatchPlan plan{seconds(5), minutes(1), minutes(4), minutes(10)};
  return plan;
}
// When to ask about a job that was requeued: Slurm has just said why it waits.
const WatchPlan& requeued_plan() {
  static const WatchPlan plan{minutes(1), minutes(4), minutes(10)};
  return plan;
}
const WatchPlan& suspicion_plan() {
  // The second one is for jobs that are just being ended: why, is then told soon.
  static const WatchPlan plan{seconds(0), seconds(6), seconds(30), minutes(1),
                              minutes(2), minutes(5), minutes(10)};
  return plan;
}

}  // namespace

bool Asking::is_absent() const { return absences_ >= max_absences; }

void Asking::suspect(SlurmTime now) {
  since_ = now;
  if (state_ == State::quiet) state_ = State::suspected;
}

void Asking::settle() {
  since_.reset();
  if (state_ == State::suspected) state_ = State::quiet;
}

void Asking::missing(SlurmTime asked, bool was_known) {
  if (state_ == State::lost) return;
  if (++absences_ == 1) suspect(asked);
  // Where Slurm forgets soon, the database has its end.
  if (was_known || is_absent()) state_ = State::accounts;
}

void Asking::seen() {
  absences_ = 0;
  if (state_ == State::lost) go_back();
}

void Asking::ask_accounts() { state_ = State::accounts; }

bool Asking::answered() {
  if (state_ != State::accounts) return false;
  go_back();
  return true;
}

void Asking::lose() {
  since_.reset();
  state_ = State::lost;
}

std::optional<SlurmTime> Asking::due(SlurmTime asked, std::optional<SlurmTime> waits_since,
                                     bool has_begun) const {
  switch (state_) {
    case State::accounts:
    case State::lost: return std::nullopt;
    case State::suspected: return suspicion_plan().next(*since_, asked);
    case State::quiet: break;
  }
  if (!waits_since) return std::nullopt;
  return (has_begun ? requeued_plan() : queue_plan()).next(*waits_since, asked);
}

}  // namespace tenkai::slurm
