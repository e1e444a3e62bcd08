// How often the controller may be asked: four times at once, and once more every 30
// seconds. Sites ask for no less than that, and have stopped users who asked more.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>

namespace tenkai::slurm {

using SlurmTime = std::chrono::steady_clock::time_point;

class QueryBudget {
 public:
  static constexpr int burst = 4;
  static constexpr std::chrono::seconds refill{30};

  // When the next query may be made; `now`, if that is at once.
  SlurmTime next(SlurmTime now) const { return std::max(now, full_ - (burst - 1) * refill); }
  bool allows(SlurmTime now) const { return next(now) <= now; }
  void take(SlurmTime now) { full_ = std::max(full_, now) + refill; }

 private:
  SlurmTime full_{};  // when all four will be there again
};

// When jobs were submitted, for sites that allow so many a minute.
class SubmissionTimes {
 public:
  // When the next one may be; 0: there is no limit.
  SlurmTime next(SlurmTime now, std::size_t per_minute) {
    while (!times_.empty() && times_.front() + std::chrono::minutes(1) <= now) times_.pop_front();
    if (per_minute == 0 || times_.size() < per_minute) return now;
    return times_[times_.size() - per_minute] + std::chrono::minutes(1);
  }
  void take(SlurmTime now) { times_.push_back(now); }

 private:
  std::deque<SlurmTime> times_;  // of the last minute
};

}  // namespace tenkai::slurm
