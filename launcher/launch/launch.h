// What has become of a launch: decided here, from what its plugin tells and from
// the daemons that join. No clock, no process.
//
//   asked → submitted → pending → starting → joined → gone
//                 ╰────────┴────────┴→ failed, with a cause
//
// A failed launch whose daemons come all the same has joined, and one that was given up
// as unknown fails for the cause that is told later: what is seen counts more than what
// was thought.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/plugin/failure.h"
#include "launcher/plugin/messages.h"

namespace tenkai {

using LaunchTime = std::chrono::steady_clock::time_point;

enum class LaunchState { asked, submitted, pending, starting, joined, failed, gone };
std::string_view name_of(LaunchState state);

class Launch {
 public:
  // `hands_on`: its command may end well before a daemon has come, because it only
  // asks somebody else for one.
  Launch(std::uint64_t number, std::vector<std::size_t> slots, std::string rscript, bool hands_on,
         LaunchTime now)
      : number_(number),
        slots_(std::move(slots)),
        rscript_(std::move(rscript)),
        hands_on_(hands_on),
        changed_(now) {}

  // Each returns whether the state has changed.
  bool on_submitted(LaunchTime now, const std::string& job);
  bool on_error(LaunchTime now, FailureCause cause, const std::string& message);
  bool on_report(LaunchTime now, const JobReport& report);
  bool on_daemon_joined(LaunchTime now);
  bool on_daemon_left(LaunchTime now);
  // Its agent has given up this daemon and goes on without it. The launch is complete when the
  // others have joined.
  bool on_daemon_given_up(LaunchTime now, std::size_t slot, Failure why);
  // Whether it has begun, or is to begin, and nothing was heard from it for so long.
  bool is_silent(LaunchTime now, std::chrono::milliseconds patience) const;
  // Gives up a launch that is silent; its failure says so.
  bool on_silence(LaunchTime now, std::chrono::milliseconds patience);
  // It is not wanted any more: nobody waits for it, and nobody need be told how it ends.
  bool on_withdrawn(LaunchTime now);
  // Nobody will tell how its command ends, and the next plugin may give the name of
  // the job to another one.
  void on_plugin_lost() {
    ended_ = true;
    job_.clear();
  }

  std::uint64_t number() const { return number_; }
  const std::vector<std::size_t>& slots() const { return slots_; }
  LaunchState state() const { return state_; }
  const Failure& failure() const { return failure_; }  // while failed
  // The slots of daemons that will not come, or not come again, though others may; and why the
  // first of them does not.
  const std::vector<std::size_t>& given_up() const { return given_up_; }
  const Failure& why_given_up() const { return why_given_up_; }
  const std::string& job() const { return job_; }
  const std::string& where() const { return where_; }
  // The last that was heard of its job: exit code, reason, log.
  const JobReport& evidence() const { return evidence_; }
  std::size_t joined() const { return joined_; }
  LaunchTime changed() const { return changed_; }
  // Neither failed nor gone, and still waited for.
  bool is_waited_for() const;
  // Whether the plugin is to be asked, because a user looks, why a batch system has not begun the
  // job, or whether one that was stopped goes on. It was last asked at `asked`; the longer the
  // job waits, the more seldom it is asked.
  bool is_worth_asking(LaunchTime now, LaunchTime asked) const;
  // Whether its command has ended, so that nobody can come with its credential.
  bool has_ended() const { return ended_; }
  // A sentence for a table: what is known in this state.
  std::string detail() const;

 private:
  bool is_queued() const;
  // Whether it was given up because nothing was heard from it.
  bool is_unexplained() const;
  bool is_complete() const;
  bool become(LaunchTime now, LaunchState state);
  bool fail(LaunchTime now, Failure failure);
  bool on_ended(LaunchTime now, const JobReport& report);

  std::uint64_t number_;
  std::vector<std::size_t> slots_;
  std::string rscript_;
  bool hands_on_;
  LaunchTime changed_;
  LaunchState state_ = LaunchState::asked;
  LaunchState heard_ = LaunchState::asked;  // the furthest that was told of its job
  std::string job_;
  std::string where_;
  JobReport evidence_;
  std::string last_sign_ = "nothing";
  std::size_t joined_ = 0;
  bool was_joined_ = false;
  bool ended_ = false;
  bool handed_on_ = false;  // its command has ended, and others bring its daemons
  bool withdrawn_ = false;
  Failure failure_;
  std::vector<std::size_t> given_up_;
  Failure why_given_up_;
};

}  // namespace tenkai
