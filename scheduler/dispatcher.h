// Decides which daemon runs which task, first in, first out.
//
// It knows nothing of sockets, threads or clocks: each on_...() takes one thing
// that happened and returns what must be done because of it. The same events in
// the same order always give the same answer, and that is how it is tested.
//
// Words. A *session* submits tasks. A *slot* is a place for one daemon, with the
// counters that status() shows. A *daemon* is one R process that has joined; its
// id is never used again. An *attempt* is one run of a task on one daemon; a
// task resolves exactly once, it may be attempted more than once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error_code.h"
#include "base/frame.h"
#include "scheduler/cause.h"
#include "scheduler/daemon_timers.h"
#include "scheduler/dispatcher_action.h"
#include "scheduler/drain.h"
#include "scheduler/everywheres.h"
#include "scheduler/load.h"
#include "scheduler/notices.h"
#include "scheduler/prospects.h"
#include "scheduler/rules.h"
#include "scheduler/size.h"
#include "scheduler/task_queue.h"
#include "scheduler/tasks.h"

namespace tenkai {

// What a session submits.
struct Submit {
  std::uint64_t task = 0;
  Payload payload;
  std::optional<std::chrono::milliseconds> timeout;  // from now; then it resolves to timed_out
  std::string label;
  // How long it may take, as the user says; it is not started where less is left.
  std::optional<std::chrono::milliseconds> time_request = {};
  // Only the R process that is at this slot now may run it, once: it has what earlier tasks
  // left there (a node of a cluster). If it is not there, or ends, the task resolves to reset.
  std::optional<std::size_t> slot = {};
};

// What a slot has seen, for status().
struct Slot {
  int instance = 0;            // connections so far; negative after regenerate()
  std::uint64_t assigned = 0;  // attempts sent here, but for elements that were given back
  std::uint64_t complete = 0;  // ... and answered, also where nobody waited any more
  bool online = false;         // a daemon is here
  bool suspect = false;        // ... but has been silent for too long
  bool busy = false;
  std::string end;  // how the last daemon here ended, "was killed …"
};

class Dispatcher {
 public:
  // With Policy::queue there are `slots` slots, numbered from 0; with the other
  // policies a daemon that joins takes the lowest slot that is free, or a new one.
  explicit Dispatcher(Rules rules, std::size_t slots = 0);

  Sends on_session_joined(Time now, SessionId session);
  // Its queued tasks are dropped, running ones interrupted, nothing is resolved.
  Sends on_session_left(Time now, SessionId session);

  // A number that is in use or has everywhere_bit is refused. Sessions that have
  // not joined are ignored, here and below.
  Sends on_submit(Time now, SessionId session, Submit submit);
  // Runs on each daemon after the tasks submitted before it and before any task
  // submitted after it, and on each daemon that joins later before its first task.
  // Refused (Tell) with Policy::ephemeral, where there is nothing it could prepare, and
  // where what is kept for later daemons would be more than the memory limit: a daemon
  // without one of them would not be what the user asked for.
  // The values of daemons are answers to the tasks of `wanted`.
  Sends on_everywhere(Time now, SessionId session, Payload payload, Wanted wanted = {});
  // A map: its elements have numbers from `first` on. They come with on_elements(), in their
  // order. Refused (Tell) where any of those numbers is in use.
  struct Map {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    Payload shared;
    std::uint64_t chunk = 0;  // 0: as many at a time as piece_size() says
  };
  Sends on_map(Time now, SessionId session, Map map);
  // The next elements, as a good parcel. Ignored where they are not the next of a map.
  Sends on_elements(Time now, SessionId session, std::uint64_t first, Payload parcel);
  // Resolves to cancelled at once; a running attempt is interrupted. `count`: of elements.
  Sends on_cancel(Time now, SessionId session, std::uint64_t task, std::uint64_t count = 1);

  // A daemon has joined; `slot` is ignored unless the policy is queue, where it
  // must be free: else the daemon is dismissed, and unknown afterwards. The daemon
  // gets its everywhere()s, then tasks. `left`: its job ends in so long (Drain).
  // `size`: how much more than usual its job was asked for.
  Sends on_daemon_joined(Time now, DaemonId daemon, std::size_t slot = 0,
                         std::optional<std::chrono::milliseconds> left = {}, Size size = {});
  // Its connection is back after a break, with the same R process behind it.
  // `held` is the attempt it is running or has finished and not delivered.
  // An assigned attempt that it does not hold never arrived: it is requeued at the
  // head, without counting. One that it should not hold is interrupted; it may be
  // forgotten at once, so its answer is not waited for.
  struct Held {
    TaskKey key;
    std::uint32_t attempt;
  };
  Sends on_daemon_resumed(Time now, DaemonId daemon, std::optional<Held> held);
  // Silent for too long: nothing new for it until it is heard again.
  Sends on_daemon_suspect(Time now, DaemonId daemon);
  Sends on_daemon_heard(Time now, DaemonId daemon);
  // A suspect one has been stopped, and may go on in hours. What it was sent since it was
  // heard last has hardly begun: it is requeued, without counting, and so is what waits
  // for it. What it ran before that stays with it.
  Sends on_daemon_stopped(Time now, DaemonId daemon, Time heard);
  // It will take nothing more (maxtasks, walltime, idletime), but is still there.
  Sends on_daemon_leaving(Time now, DaemonId daemon);
  // The job that they are in ends soon, so they drain: as on_daemon_leaving, and each goes when
  // it has done what it does.
  Sends on_drain(Time now, const std::vector<DaemonId>& daemons);
  // It is gone; its attempt is retried or resolved to reset, by the cause.
  Sends on_daemon_left(Time now, DaemonId daemon, const Cause& cause);
  // An answer. One that is not awaited (unknown, of an earlier attempt, a second
  // one) is counted in violations() and otherwise ignored. `last`: as on_daemon_leaving.
  // `message` says why an everywhere() failed.
  Sends on_finished(Time now, DaemonId daemon, TaskKey key, std::uint32_t attempt, Payload payload,
                    bool failed, bool last, std::string message = {}, Usage usage = {});
  // The same of elements of a map. `count`: how many of them, the first ones, have been
  // evaluated; the others were not begun. `interrupted`: all but the last of these were.
  struct Piece {
    TaskKey key;
    std::uint32_t attempt = 0;
    Payload payload;
    std::uint64_t count = 0;
    bool failed = false;  // one of the results is an error value
    bool interrupted = false;
    bool last = false;
    Usage usage = {};
  };
  Sends on_piece_finished(Time now, DaemonId daemon, Piece piece);
  // A process asked for by StartLocal could not start, or ended before it joined; the cause
  // says so in a whole sentence.
  Sends on_launch_failed(Time now, const Cause& cause);

  // Nothing of this size is to be had, or larger: tasks that wait for it, and not for a
  // daemon that is here, resolve to reset. `why` goes on after "…, and", about all of
  // them: "the larger job that was asked for (mem=4G) could not be had: …".
  Sends on_size_unavailable(Time now, Size size, const std::string& why);

  // From now on daemons are launched as there is work. Each will have so long for tasks;
  // nullopt: that is not known.
  Sends on_scaled(Time now, std::optional<std::chrono::milliseconds> room);

  // Whether daemons may come where none is here; until this is called, they may. Where none is
  // on its way, sessions with tasks that wait are told so once; where that is not known, they
  // are told after five seconds that none has come.
  Sends on_prospects(Time now, Prospects prospects);

  // Daemons at these slots are not needed: they are dismissed, when they have done what
  // they do.
  Sends on_unneeded(Time now, const std::vector<std::size_t>& slots);

  // saisei(): the slot has a new URL; `instance` turns negative. A daemon that
  // is there is forgotten, and what it ran resolves to closed and counts as complete.
  Sends regenerate(Time now, std::size_t slot);

  // Call on_timer() at this time (or later). Nothing: no timer is wanted.
  std::optional<Time> next_timer() const;
  Sends on_timer(Time now);

  const std::vector<Slot>& slots() const { return slots_; }
  std::size_t online() const { return daemons_.size(); }
  std::size_t queued() const { return queue_.size() + waiting_; }
  std::size_t unresolved() const { return tasks_.size(); }
  // Tasks in the queue that need daemons larger than usual, by what they need. Empty, and
  // cheap, as long as nothing has died of what Retries::factors are for.
  std::vector<std::pair<Size, std::size_t>> larger_needs() const { return queue_.larger_needs(); }
  // `room`: the time that a fresh daemon has for tasks; nullopt: without end.
  Load load(std::optional<std::chrono::milliseconds> room) const;
  // Whether a daemon is here that takes tasks with this need, free or not.
  bool has_daemon_for(const Size& need) const;
  // Bytes of payload held.
  std::uint64_t memory() const { return tasks_.memory() + everywheres_.memory() + shared_memory_; }
  // The most that it ever was.
  std::uint64_t peak_memory() const { return peak_memory_; }
  std::uint64_t memory_limit() const { return rules_.memory_limit; }
  // How many answers nobody waited for: from all daemons that ever were, and from one that is
  // here.
  std::uint64_t violations() const { return violations_; }
  std::uint64_t violations(DaemonId daemon) const;
  // The slot of a daemon that has joined and not left.
  std::optional<std::size_t> slot_of(DaemonId daemon) const;
  // Whether a daemon runs something now, for the watch on silent peers.
  bool is_busy(DaemonId daemon) const;
  // Whether it runs this attempt, and somebody waits for what comes of it.
  bool is_awaited(DaemonId daemon, TaskKey key, std::uint32_t attempt) const;
  // Whether it was ever given a task.
  bool has_worked(DaemonId daemon) const;

 private:
  // What was sent to a daemon and not answered.
  struct Running {
    TaskKey key;
    std::uint32_t attempt = 1;
    bool everywhere = false;
    bool discarded = false;    // it is interrupted, and nobody waits for its answer
    bool interrupted = false;  // by us
    std::uint64_t count = 1;   // elements of a map
    bool is_piece = false;     // ... which it is
    Time sent_at{};
    std::optional<Time> kill_at;
  };
  // What each task touches stands together: a thousand of these do not stay in the cache,
  // and each line of it that is missed costs as much as a good part of a task.
  struct Daemon {
    DaemonId id = 0;
    std::size_t slot = 0;
    std::optional<Running> running;
    std::uint64_t joined_at = 0;            // the sequence number of that moment
    std::uint64_t last_everywhere = 0;      // the sequence number of the last one it was sent
    std::uint32_t everywhere_attempts = 0;  // so that one sent again has a number of its own
    std::uint64_t shares = 0;               // the sequence number of the map of which it has this
    bool suspect = false;
    bool leaving = false;
    bool dismissed = false;
    bool draining = false;
    bool has_worked = false;
    Time idle_since{};  // while nothing is running
    std::optional<Drain> drain;
    Size size;
    std::uint64_t violations = 0;
    TaskQueue waiting;  // Policy::direct, and what is pinned
  };
  using Maps = std::map<TaskKey, std::shared_ptr<MapWork>>;

  Daemon* find(DaemonId daemon);
  const Daemon* find(DaemonId daemon) const;
  std::optional<std::size_t> place_for_daemon(std::size_t wanted);
  std::string name_of(const Daemon& daemon) const;

  void notice_what_waits(Sends& sends);
  void notice_long_requests(Sends& sends);
  void on_due(Daemon& daemon, DaemonTimers::Kind kind, Sends& sends);
  void fail_everywheres(const Daemon& gone, Code code, const std::string& how, Sends& sends);
  void enqueue(Task& task);
  void wait_at(Daemon& daemon, Task& task);
  std::optional<TaskQueue::Head> next_for(const Daemon& daemon) const;
  void hand_out(Sends& sends, std::size_t most = SIZE_MAX);
  void deal(Sends& sends);
  void launch(Sends& sends);
  bool feed(Daemon& daemon, Sends& sends);
  void go_on(Daemon& daemon, Sends& sends);
  void assign(Daemon& daemon, Task& task, Sends& sends);
  void assign(Daemon& daemon, const Everywheres::Everywhere& everywhere, Sends& sends);
  void assign_piece(Daemon& daemon, const Task& piece, Sends& sends);
  Task& fitting(Task& task);
  void start(Daemon& daemon, Running running);
  void dismiss(Daemon& daemon, Sends& sends);
  std::optional<std::chrono::milliseconds> room_of(const Daemon& daemon) const;
  void drain(Daemon& daemon, Sends& sends);

  Running end_attempt(Daemon& daemon);
  void requeue_unreceived(Daemon& daemon);
  void requeue_from_stopped(Daemon& daemon, Sends& sends);
  void shut(Daemon& daemon);
  void stop_taking(Daemon& daemon);
  void requeue_waiting(Daemon& daemon);
  Daemon remove(Daemon& daemon);
  void retry(const Running& running, const Daemon& daemon, const Cause& cause, Sends& sends);
  void give_up_pinned(Daemon& gone, Code code, const std::string& how, Sends& sends);
  void escalate(Task& task, const Size& need, const Daemon& daemon, const Cause& cause, Sends& sends);

  std::string refusal_of(std::uint64_t bytes) const;
  std::string absence_at(std::size_t slot) const;
  std::string whereabouts(const Task& task) const;
  void withdraw(Time now, const Task& task, Sends& sends);
  void interrupt(Time now, Daemon& daemon, Sends& sends);
  Task take(const Task& task);
  Task& add(Task task);

  std::shared_ptr<MapWork> map_with(const TaskKey& element) const;
  Task part_of(const Task& piece, std::uint64_t skip, std::uint64_t count) const;
  void requeue(Task& task);
  std::uint64_t requeue_rest(const Task& piece, std::uint64_t done);
  void requeue_one_by_one(const Task& piece);
  void cancel_elements(MapWork& map, SessionId session, std::uint64_t first, std::uint64_t end, Sends& sends);
  void cancel_running(const Task& piece, std::uint64_t first, std::uint64_t end, Sends& sends);
  void on_resolved(const MapWork& map, const TaskKey& element, std::uint64_t count);
  void forget_map(Maps::iterator map);
  Resolve failure_of(const Task& task, Code code, std::string reason);
  Running* awaited(DaemonId daemon, const TaskKey& key, std::uint32_t attempt);
  void go_on_after_answer(Daemon& daemon, bool last, Sends& sends);
  void resolve(Time now, const Task& task, Code code, std::string reason, Sends& sends);

  Rules rules_;
  Tasks tasks_;
  std::uint64_t next_sequence_ = 1;
  Maps maps_;                        // by their first element
  std::uint64_t shared_memory_ = 0;  // of what their elements share
  TaskQueue queue_;
  std::size_t waiting_ = 0;  // tasks in the queues of daemons
  Everywheres everywheres_;
  std::uint64_t peak_memory_ = 0;

  std::unordered_map<DaemonId, Daemon> daemons_;
  std::vector<Slot> slots_;
  std::vector<DaemonId> daemon_at_;  // for slots that are online
  Notices notices_;
  std::set<std::size_t> vacant_;       // slots without a daemon; not with Policy::queue
  std::set<std::size_t> free_;         // slots whose daemon waits for something to do
  std::set<std::size_t> takers_;       // slots whose daemon may be given tasks, busy or not
  std::size_t last_dealt_ = SIZE_MAX;  // Policy::direct: whose turn it was last
  std::size_t starting_ = 0;           // launches that have neither joined nor failed
  DaemonTimers timers_;
  Time now_{};  // of the event that is dealt with
  std::uint64_t violations_ = 0;
};

}  // namespace tenkai
