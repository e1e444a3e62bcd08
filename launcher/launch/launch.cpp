#include "launcher/launch/launch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/counted.h"

namespace tenkai {
namespace {

constexpr std::array<std::string_view, 7> names{"asked",  "submitted", "pending", "starting",
                                                "joined", "failed",    "gone"};

LaunchState state_of(JobState state) {
  switch (state) {
    case JobState::submitted: return LaunchState::submitted;
    case JobState::pending: return LaunchState::pending;
    case JobState::starting:
    case JobState::ended:
    case JobState::failed: break;
  }
  return LaunchState::starting;
}

std::string how_it_ended(const JobReport& report) {
  if (report.signal) return "its command was killed by signal " + std::to_string(*report.signal);
  if (report.exit_code) return "its command has ended with exit code " + std::to_string(*report.exit_code);
  return "its command has ended";
}

}  // namespace

std::string_view name_of(LaunchState state) { return names[static_cast<std::size_t>(state)]; }

bool Launch::become(LaunchTime now, LaunchState state) {
  if (state == state_) return false;
  state_ = state;
  changed_ = now;
  if (state != LaunchState::failed) failure_ = {};
  return true;
}

bool Launch::is_unexplained() const {
  return state_ == LaunchState::failed && failure_.cause == cause::unknown;
}

bool Launch::fail(LaunchTime now, Failure failure) {
  bool is_explained = is_unexplained() && failure.cause != cause::unknown;
  failure_ = std::move(failure);
  return become(now, LaunchState::failed) || is_explained;
}

bool Launch::is_waited_for() const {
  return state_ == LaunchState::asked || state_ == LaunchState::submitted || state_ == LaunchState::pending ||
         state_ == LaunchState::starting;
}

bool Launch::is_queued() const { return state_ == LaunchState::submitted || state_ == LaunchState::pending; }

bool Launch::is_worth_asking(LaunchTime now, LaunchTime asked) const {
  using std::chrono::seconds;
  // A younger one is just about to begin.
  constexpr seconds time_to_begin{3};
  constexpr seconds pause{30};
  if (evidence_.suspended) return now - asked >= pause;
  LaunchTime::duration age = now - changed_;
  return is_queued() && age >= time_to_begin &&
         now - asked >= std::max<LaunchTime::duration>(pause, age / 10);
}

bool Launch::on_submitted(LaunchTime now, const std::string& job) {
  job_ = job;
  last_sign_ = "it was handed over";
  return state_ == LaunchState::asked && become(now, LaunchState::submitted);
}

bool Launch::on_error(LaunchTime now, FailureCause cause, const std::string& message) {
  ended_ = true;
  if (was_joined_ || !is_waited_for()) return false;
  return fail(now, {cause == cause::none ? cause::plugin : cause, message});
}

bool Launch::on_report(LaunchTime now, const JobReport& report) {
  if (!report.where.empty()) where_ = report.where;
  if (evidence_.suspended && !report.suspended) changed_ = now;
  evidence_ = report;
  if (withdrawn_) return false;
  if (report.state == JobState::ended) return on_ended(now, report);
  if (report.state == JobState::failed) {
    ended_ = true;
    if (was_joined_) return joined_ == 0 && become(now, LaunchState::gone);
    if (report.cause == cause::none) {
      return fail(now, report.message.empty()
                           ? judge({report.exit_code, report.signal, report.log, where_, rscript_})
                           : Failure{cause::unknown, report.message});
    }
    return fail(now, {report.cause, report.message});
  }
  bool is_back = report.state == JobState::pending && report.cause != cause::none;
  if (is_back && joined_ == 0 && !is_waited_for()) return become(now, LaunchState::pending);
  // What came late, or again, does not undo what is known.
  LaunchState reported = state_of(report.state);
  last_sign_ = report.message.empty() ? "it was " + std::string(name_of(reported)) : report.message;
  bool is_further = reported > std::max(heard_, LaunchState::submitted);
  heard_ = std::max(heard_, reported);
  if (is_unexplained() && !ended_) return is_further && become(now, reported);
  return is_waited_for() && reported > state_ && become(now, reported);
}

bool Launch::on_ended(LaunchTime now, const JobReport& report) {
  ended_ = true;
  last_sign_ = how_it_ended(report);
  if (was_joined_) return joined_ == 0 && become(now, LaunchState::gone);
  if (!is_waited_for() && !is_unexplained()) return false;
  // A command that has handed its work to somebody else has ended well.
  if (hands_on_ && report.exit_code == 0 && report.cause == cause::none) {
    ended_ = false;
    handed_on_ = true;
    return state_ < LaunchState::submitted && become(now, LaunchState::submitted);
  }
  Failure failure{report.cause, report.message};
  if (report.cause == cause::none)
    failure = judge({report.exit_code, report.signal, report.log, where_, rscript_});
  if (!report.note.empty()) failure.message += "; " + report.note;
  return fail(now, std::move(failure));
}

bool Launch::on_daemon_joined(LaunchTime now) {
  ++joined_;
  changed_ = now;
  was_joined_ = true;
  // Once all were there, one that is started again makes no difference.
  bool all = is_complete() || state_ == LaunchState::joined;
  return become(now, all ? LaunchState::joined : LaunchState::starting);
}

// Whether all daemons have joined that can still come.
bool Launch::is_complete() const { return joined_ + given_up_.size() >= slots_.size(); }

bool Launch::on_daemon_given_up(LaunchTime now, std::size_t slot, Failure why) {
  // It may be told again. Without slots of their own all are at one.
  auto times = [slot](const std::vector<std::size_t>& all) {
    return std::count(all.begin(), all.end(), slot);
  };
  if (times(given_up_) >= times(slots_)) return false;
  if (given_up_.empty()) why_given_up_ = std::move(why);
  given_up_.push_back(slot);
  // Where none has come, its command ends, and tells more.
  if (state_ == LaunchState::starting && joined_ > 0 && is_complete()) become(now, LaunchState::joined);
  return true;
}

bool Launch::on_daemon_left(LaunchTime now) {
  if (joined_ > 0) --joined_;
  // A command that runs starts its R again, or will tell. Where the command was
  // handed on, daemons that have not come yet may still come.
  bool is_over = ended_ || (handed_on_ && state_ == LaunchState::joined);
  if (joined_ > 0 || !is_over) return false;
  return become(now, LaunchState::gone);
}

bool Launch::is_silent(LaunchTime now, std::chrono::milliseconds patience) const {
  bool waits = state_ == LaunchState::submitted || (state_ == LaunchState::starting && joined_ == 0);
  return waits && !evidence_.suspended && now - changed_ >= patience;
}

bool Launch::on_silence(LaunchTime now, std::chrono::milliseconds patience) {
  if (!is_silent(now, patience)) return false;
  return fail(
      now, {cause::unknown, "nothing was heard from it for " + std::to_string(patience.count() / 1000) +
                                " s; last sign: " + last_sign_ + ". It is let in if it comes all the same"});
}

bool Launch::on_withdrawn(LaunchTime now) {
  if (!is_waited_for() || joined_ > 0) return false;
  ended_ = withdrawn_ = true;
  return become(now, LaunchState::gone);
}

std::string Launch::detail() const {
  if (state_ == LaunchState::failed) return failure_.message;
  if (state_ != LaunchState::gone && evidence_.suspended) return evidence_.message;
  if (state_ == LaunchState::starting && joined_ > 0) {
    return std::to_string(joined_) + " of " + counted(slots_.size(), "daemon") + " have joined";
  }
  if (state_ == LaunchState::joined && !given_up_.empty()) {
    return counted(given_up_.size(), "daemon is", "daemons are") +
           " not started again: " + why_given_up_.message;
  }
  return is_queued() ? evidence_.message : std::string();
}

}  // namespace tenkai
