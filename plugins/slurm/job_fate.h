// How a job of ours is to end, as far as that is known.
//
//   from ╲ when  hold()  go_on()  give_up()             cancel()
//   open         held             given_up              cancelled
//   held         held    open     given_up              cancelled
//   given_up                                            cancelled, and why stays
//   cancelled                     cancelled, with why
//
// Where nothing stands, nothing changes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "launcher/plugin/messages.h"
#include "plugins/slurm/watch_plan.h"

namespace tenkai::slurm {

class JobFate {
 public:
  enum class State : std::uint8_t {
    open,
    held,       // it has ended, as the report says; Slurm may know more about that
    given_up,   // it can never start, and is to be cancelled
    cancelled,  // by us
  };

  State state() const { return state_; }
  bool is_held() const { return state_ == State::held; }
  bool is_cancelled() const { return state_ == State::cancelled; }
  // It is to end, or to be thought of as having ended, whatever it does.
  bool is_decided() const { return is_cancelled() || is_given_up(); }
  // Why stays what is known of it, also where it has begun meanwhile.
  bool is_given_up() const { return report_ && !is_held(); }

  // held: how it ended; given up: why.
  const std::optional<JobReport>& report() const { return report_; }
  // held: until then.
  std::optional<SlurmTime> until() const { return is_held() ? std::optional(until_) : std::nullopt; }

  void hold(JobReport report, SlurmTime until) {
    if (state_ != State::open && !is_held()) return;
    state_ = State::held;
    report_ = std::move(report);
    until_ = until;
  }
  void go_on() {
    if (is_held()) *this = {};
  }
  void give_up(const JobReport& why) {
    if (!is_cancelled()) state_ = State::given_up;
    report_ = why;
  }
  void cancel() {
    if (is_held()) report_.reset();
    state_ = State::cancelled;
  }

 private:
  State state_ = State::open;
  std::optional<JobReport> report_;
  SlurmTime until_{};
};

}  // namespace tenkai::slurm
