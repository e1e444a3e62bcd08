// The world around a dispatcher, as a test imagines it: what has happened, and what
// a dispatcher must make of it.
//
// It is a second, slow and simple account of the rules: each question is answered
// by looking at everything. foresee() takes an event and works out which tasks must
// be resolved, which daemons interrupted and so on; check() then compares that with
// what the dispatcher asked for and with what it says of itself. So a task that is
// lost, answered twice, out of order or miscounted is noticed at the event that did it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "scheduler/dispatcher.h"

namespace tenkai::tests {

// One call of a dispatcher. Which members mean something depends on `kind`.
struct Event {
  enum class Kind {
    session_joined,
    session_left,
    submit,
    everywhere,
    cancel,
    joined,
    resumed,
    suspect,
    heard,
    stopped,
    leaving,
    drain,
    left,
    finished,
    launch_failed,
    size_unavailable,
    prospects,
    regenerate,
    timer,
  };
  Kind kind = Kind::timer;
  Time now;
  SessionId session = 0;
  DaemonId daemon = 0;
  std::size_t slot = 0;
  std::optional<std::chrono::milliseconds> left;
  Size size;
  Submit submit;
  Payload payload;
  TaskKey key;
  std::uint32_t attempt = 0;
  bool failed = false;
  bool last = false;
  std::optional<Dispatcher::Held> held;
  Time heard;
  Cause cause;
  Prospects prospects;
};
std::string describe(const Event& event);

// What a dispatcher says of itself.
struct Account {
  std::vector<Slot> slots;
  std::size_t online = 0;
  std::size_t queued = 0;
  std::size_t unresolved = 0;
  std::uint64_t memory = 0;
  std::uint64_t violations = 0;
  std::optional<Time> next_timer;
};

class World {
 public:
  struct Run {
    TaskKey key;
    std::uint32_t attempt = 0;
    std::uint64_t everywhere = 0;  // its sequence number, or 0
    bool discarded = false;
    Time sent_at{};
    std::optional<Time> kill_at;
  };
  struct Daemon {
    std::size_t slot = 0;
    std::uint64_t joined_at = 0;
    std::set<std::uint64_t> everywheres;  // it was sent
    std::optional<Run> run;
    bool suspect = false;
    bool leaving = false;
    bool dismissed = false;
    Size size;
    std::optional<Drain> drain;
    bool draining = false;
    bool deadline_came = false;
    bool takes() const { return !suspect && !leaving; }
  };
  struct Unresolved {
    std::uint64_t sequence = 0;
    Submit submit;
    std::optional<Time> deadline;
    bool running = false;
    DaemonId daemon = 0;  // that runs it, or at which it waits
    std::uint32_t attempts = 0;
    Deaths deaths;
    Size need;
  };
  struct Everywhere {
    SessionId session = 0;
    Payload payload;
    std::set<std::size_t> told;  // the slots of which a failure was told
  };

  World(Rules rules, std::size_t slots);

  void foresee(const Event& event);
  // A sentence for the first thing that is wrong; empty when all is well.
  std::string check(const Event& event, const Sends& sends, const Account& account);

  const Rules& rules() const { return rules_; }
  const std::set<SessionId>& sessions() const { return sessions_; }
  const std::map<TaskKey, Unresolved>& tasks() const { return tasks_; }
  const std::map<DaemonId, Daemon>& daemons() const { return daemons_; }
  const std::vector<Slot>& slots() const { return slots_; }
  std::size_t starting() const { return starting_; }
  // Every attempt that was ever sent, for answering it once more.
  const std::vector<std::pair<DaemonId, Dispatcher::Held>>& history() const { return history_; }
  std::uint64_t task_memory(const Payload& one_more = nullptr) const;
  std::uint64_t everywhere_memory() const;
  std::uint64_t memory() const { return task_memory() + everywhere_memory(); }
  // When the next daemon is to get nothing more, or to hand back what it runs.
  std::optional<Time> next_drain_time() const;

 private:
  Daemon* find(DaemonId daemon);
  Unresolved* find(TaskKey key);
  std::set<DaemonId> takers() const;
  std::map<std::uint64_t, TaskKey> source_of(DaemonId daemon) const;
  bool fits(const Daemon& daemon, const Unresolved& task) const;
  std::map<std::uint64_t, TaskKey> tasks_for(DaemonId daemon) const;
  bool exceeds_memory(std::uint64_t more) const;

  void foresee_submit(const Event& event);
  void foresee_everywhere(const Event& event);
  void foresee_joined(const Event& event);
  void foresee_resumed(const Event& event, Daemon& daemon);
  void foresee_stopped(const Event& event, Daemon& daemon);
  void foresee_left(const Event& event, Daemon& daemon);
  void everywhere_failed(std::uint64_t sequence, std::size_t slot);
  void foresee_finished(const Event& event);
  void foresee_size_unavailable(const Event& event);
  void foresee_regenerate(const Event& event);
  void foresee_timer(const Event& event);
  void foresee_patience(const Event& event);
  void foresee_silence(const Event& event);
  bool escalate(Unresolved& task, const Daemon& daemon, Cause::Kind kind);
  void drain(DaemonId id, Daemon& daemon);
  void requeue(TaskKey key);
  void give_up(Time now, TaskKey key, Code code);
  void withdraw(Time now, const Unresolved& task);
  void stop(DaemonId id, Daemon& daemon);
  void free_those_at(DaemonId id);
  void forget(DaemonId id);
  void deal();

  void take(const Event& event, const Assign& send);
  void take(const Event& event, const Share& send);
  void take_everywhere(const Assign& send, Daemon& daemon);
  void take(const Event& event, const Resolve& send);
  void take(const Event& event, const Interrupt& send);
  void take(const Event& event, const Kill& send);
  void take(const Event& event, const HandBack& send);
  void take(const Event& event, const Acknowledge& send);
  void take(const Event& event, const Dismiss& send);
  void take(const Event& event, const StartLocal& send);
  void take(const Event& event, const Tell& send);
  bool waits_for_any() const;
  bool misses_daemons() const;
  bool is_silent() const;
  bool is_one_too_large() const;
  bool waits_too_long() const;
  void check_expectations();
  void check_idleness();
  void check_account(const Account& account);
  void complain(const std::string& what);

  Rules rules_;
  std::set<SessionId> sessions_;
  std::map<TaskKey, Unresolved> tasks_;
  std::map<std::uint64_t, Everywhere> everywheres_;
  std::map<DaemonId, Daemon> daemons_;
  std::vector<Slot> slots_;
  std::uint64_t next_sequence_ = 1;
  std::size_t last_dealt_ = SIZE_MAX;
  std::size_t starting_ = 0;
  Time now_;  // of the event at hand
  std::set<Cause::Kind> told_escalations_;
  std::uint64_t violations_ = 0;
  std::vector<std::pair<DaemonId, Dispatcher::Held>> history_;

  // What the event at hand must bring about; check() crosses it off.
  std::map<TaskKey, Code> resolves_;
  std::set<std::tuple<DaemonId, TaskKey, std::uint32_t>> interrupts_;
  std::set<DaemonId> kills_;
  std::set<DaemonId> hand_backs_;
  std::set<DaemonId> dismisses_;
  std::optional<DaemonId> answered_;  // must be acknowledged or given something else
  std::size_t tells_ = 0;
  std::optional<std::chrono::milliseconds> most_room_;  // that a daemon has had
  bool told_too_long_ = false;
  bool has_joined_ = false;  // just now
  Prospects prospects_;
  bool has_left_ = false;    // the last one, and none has come since
  bool told_alone_ = false;  // that none is here
  std::optional<Time> give_up_at_;
  std::optional<Time> tell_waiting_at_;
  bool ignored_ = false;  // nothing at all must follow
  std::string complaint_;
};

}  // namespace tenkai::tests
