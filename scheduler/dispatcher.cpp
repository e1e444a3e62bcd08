// How the parts of the state hang together.
//
// A task stands in exactly one place: in queue_, in the queue of one daemon
// (Policy::direct, or where it is pinned to that R process), or in the `running` of one daemon. Each place is
// ordered by sequence, the number a task gets when it is submitted and keeps for its life, so that one which
// comes back from a dead daemon stands where it stood before.
//
// everywhere() is numbered in the same sequence and stays in everywheres_. A daemon
// knows the last one it was sent; what is due next is a matter of comparing two
// numbers (feed()), and so one that joins late or comes back needs no list of its own.
//
// A daemon is in free_ when it takes tasks, runs nothing, and nothing is due for
// it: as long as anything is queued, only those are in free_ that have no time for it
// (room_of()) or are too small. Whoever changes one of the two calls hand_out() or go_on().
#include "scheduler/dispatcher.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/shared_blocks.h"
#include "base/text.h"

namespace tenkai {

Dispatcher::Dispatcher(Rules rules, std::size_t slots) : rules_(std::move(rules)), notices_(rules_) {
  if (!has_slots(rules_.policy)) return;
  slots_.resize(slots);
  daemon_at_.resize(slots);
}

// --- sessions ---

Sends Dispatcher::on_session_joined(Time, SessionId session) {
  tasks_.open(session);
  return {};
}

Sends Dispatcher::on_session_left(Time now, SessionId session) {
  now_ = now;
  Sends sends;
  for (const Task& task : tasks_.close(session)) withdraw(now, task, sends);
  for (auto at = maps_.lower_bound({session, 0}); at != maps_.end() && at->first.session == session;)
    forget_map(at++);
  everywheres_.close(session);
  return sends;
}

Sends Dispatcher::on_submit(Time now, SessionId session, Submit submit) {
  now_ = now;
  Sends sends;
  if (!tasks_.knows(session)) return sends;
  TaskKey key{session, submit.task};
  if (tasks_.find(key) != nullptr || map_with(key)) {
    sends.emplace_back(Tell{session, "task " + std::to_string(key.task) +
                                         " was submitted again before it was resolved; that was ignored"});
    return sends;
  }
  if ((key.task & everywhere_bit) != 0) {
    sends.emplace_back(
        Resolve{key, Code::cancelled, "task numbers from 2^63 on are not for sessions", {}, false});
    return sends;
  }
  std::string refusal = refusal_of(tasks_.memory_for(submit.payload));
  if (!refusal.empty()) {
    sends.emplace_back(Resolve{key, Code::out_of_memory, "the task was not taken: " + refusal, {}, false});
    return sends;
  }
  if (submit.slot) {
    std::string absence = absence_at(*submit.slot);
    if (!absence.empty()) {
      sends.emplace_back(Resolve{key, Code::reset, std::move(absence), {}, false});
      return sends;
    }
  }
  Task task;
  task.key = key;
  task.sequence = next_sequence_++;
  task.payload = std::move(submit.payload);
  task.label = std::move(submit.label);
  if (submit.timeout) {
    task.timeout = bounded_wait(*submit.timeout);
    task.deadline = now + task.timeout;
  }
  if (submit.time_request) {
    task.time_request = rounded_request(*submit.time_request);
    notices_.on_request(*submit.time_request);
  }
  if (submit.slot) {
    task.pinned = true;
    Daemon& daemon = *find(daemon_at_[*submit.slot]);
    wait_at(daemon, tasks_.add(std::move(task)));
    peak_memory_ = std::max(peak_memory_, memory());
    feed(daemon, sends);
    return sends;
  }
  enqueue(tasks_.add(std::move(task)));
  peak_memory_ = std::max(peak_memory_, memory());
  // What waited before fits none of those that are free: a thousand need not be asked again.
  hand_out(sends, 1);
  notice_what_waits(sends);
  notice_long_requests(sends);
  return sends;
}

Sends Dispatcher::on_cancel(Time now, SessionId session, std::uint64_t task, std::uint64_t count) {
  now_ = now;
  Sends sends;
  if (std::shared_ptr<MapWork> map = map_with({session, task})) {
    std::uint64_t most = map->first + map->count - task;
    cancel_elements(*map, session, task, task + std::min(count, most), sends);
    return sends;
  }
  const Task* found = tasks_.find({session, task});
  if (found != nullptr) resolve(now, *found, Code::cancelled, "cancelled " + whereabouts(*found), sends);
  return sends;
}

// --- daemons ---

Sends Dispatcher::on_daemon_joined(Time now, DaemonId id, std::size_t wanted,
                                   std::optional<std::chrono::milliseconds> left, Size size) {
  now_ = now;
  Sends sends;
  if (find(id) != nullptr) return sends;
  if (starting_ > 0) --starting_;
  std::optional<std::size_t> slot = place_for_daemon(wanted);
  if (!slot) {
    sends.emplace_back(Dismiss{id});
    return sends;
  }
  Daemon& daemon = daemons_[id];
  daemon.id = id;
  daemon.slot = *slot;
  daemon.size = size;
  daemon.idle_since = now;
  daemon.joined_at = next_sequence_;
  daemon_at_[*slot] = id;
  slots_[*slot].online = true;
  slots_[*slot].instance = std::abs(slots_[*slot].instance) + 1;
  takers_.insert(*slot);
  if (left) {
    daemon.drain = Drain::in(now, bounded_wait(*left));
    timers_.set(daemon.drain->begin, DaemonTimers::Kind::drain, id);
    timers_.set(daemon.drain->deadline, DaemonTimers::Kind::hand_back, id);
    if (daemon.drain->begin <= now) drain(daemon, sends);
  }
  notices_.on_joined(room_of(daemon));
  everywheres_.on_joined(id);
  go_on(daemon, sends);
  hand_out(sends);
  notice_long_requests(sends);
  return sends;
}

Sends Dispatcher::on_daemon_resumed(Time now, DaemonId id, std::optional<Held> held) {
  now_ = now;
  Sends sends;
  Daemon* daemon = find(id);
  if (daemon == nullptr) return sends;
  daemon->shares = 0;  // what was sent may have been lost with the connection
  const std::optional<Running>& running = daemon->running;
  bool kept = running && held && held->key == running->key && held->attempt == running->attempt;
  // The interrupt that went with a cancellation may have been lost with the connection.
  if (held && (!kept || running->discarded)) sends.emplace_back(Interrupt{id, held->key, held->attempt});
  if (running && !kept) requeue_unreceived(*daemon);
  // What was said when it was cut off has not arrived.
  if (daemon->dismissed && !daemon->running) sends.emplace_back(Dismiss{id});
  Sends more = on_daemon_heard(now, id);
  std::move(more.begin(), more.end(), std::back_inserter(sends));
  return sends;
}

Sends Dispatcher::on_daemon_suspect(Time, DaemonId id) {
  Daemon* daemon = find(id);
  if (daemon == nullptr) return {};
  daemon->suspect = true;
  slots_[daemon->slot].suspect = true;
  shut(*daemon);
  return {};
}

Sends Dispatcher::on_daemon_heard(Time now, DaemonId id) {
  now_ = now;
  Sends sends;
  Daemon* daemon = find(id);
  if (daemon == nullptr) return sends;
  daemon->suspect = false;
  slots_[daemon->slot].suspect = false;
  if (!daemon->leaving) takers_.insert(daemon->slot);
  // What may be dealt to it now can be older than what waits there.
  if (rules_.policy == Policy::direct) hand_out(sends);
  go_on(*daemon, sends);
  hand_out(sends);
  return sends;
}

Sends Dispatcher::on_daemon_stopped(Time now, DaemonId id, Time heard) {
  now_ = now;
  Sends sends;
  Daemon* daemon = find(id);
  if (daemon == nullptr || !daemon->suspect) return sends;
  if (daemon->running && heard <= daemon->running->sent_at) requeue_from_stopped(*daemon, sends);
  requeue_waiting(*daemon);
  hand_out(sends);
  return sends;
}

Sends Dispatcher::on_daemon_leaving(Time now, DaemonId id) {
  now_ = now;
  Sends sends;
  Daemon* daemon = find(id);
  if (daemon == nullptr) return sends;
  stop_taking(*daemon);
  hand_out(sends);
  return sends;
}

Sends Dispatcher::on_drain(Time now, const std::vector<DaemonId>& daemons) {
  now_ = now;
  Sends sends;
  for (DaemonId id : daemons) {
    if (Daemon* daemon = find(id)) drain(*daemon, sends);
  }
  hand_out(sends);
  return sends;
}

Sends Dispatcher::on_daemon_left(Time now, DaemonId id, const Cause& cause) {
  now_ = now;
  Sends sends;
  Daemon* found = find(id);
  if (found == nullptr) return sends;
  Daemon gone = remove(*found);
  slots_[gone.slot].end = cause.text;
  if (gone.running) retry(*gone.running, gone, cause, sends);
  fail_everywheres(gone, Code::reset, how_it_left(cause), sends);
  give_up_pinned(gone, Code::reset, cause.text, sends);
  hand_out(sends);
  if (rules_.policy != Policy::ephemeral && daemons_.empty()) {
    notices_.on_left(gone.slot, cause);
    notice_what_waits(sends);
  }
  notice_long_requests(sends);
  return sends;
}

Sends Dispatcher::on_prospects(Time now, Prospects prospects) {
  now_ = now;
  Sends sends;
  notices_.on_prospects(std::move(prospects));
  notice_what_waits(sends);
  return sends;
}

void Dispatcher::notice_what_waits(Sends& sends) {
  if (!daemons_.empty()) return;
  std::optional<SessionId> usual = everywheres_.waiting();
  if (queue_.empty() && !usual) return;
  if (std::optional<TaskQueue::Head> head = queue_.first({}, Size())) usual = head->key.session;
  notices_.on_waiting(now_, usual, sends);
}

// Tasks that ask for more than the next daemons have, and than any that is here has left.
void Dispatcher::notice_long_requests(Sends& sends) {
  if (!notices_.may_be_too_long() || !has_slots(rules_.policy)) return;
  auto longest = queue_.longest();
  if (!longest || !notices_.is_too_long(longest->first)) return;
  bool any_has_time = std::any_of(daemons_.begin(), daemons_.end(), [&](const auto& each) {
    std::optional<std::chrono::milliseconds> room = room_of(each.second);
    return !each.second.leaving && (!room || longest->first <= *room);
  });
  if (!any_has_time) notices_.on_too_long(longest->second.session, longest->first, sends);
}

Sends Dispatcher::on_finished(Time now, DaemonId id, TaskKey key, std::uint32_t attempt, Payload payload,
                              bool failed, bool last, std::string message, Usage usage) {
  now_ = now;
  Sends sends;
  sends.reserve(2);  // the answer, and the next task
  const Running* running = awaited(id, key, attempt);
  if (running == nullptr) return sends;
  // Cancelled before it began.
  if (running->is_piece) return on_piece_finished(now, id, {key, attempt, {}, 0, failed, false, last, usage});
  Daemon* daemon = find(id);
  Running ended = end_attempt(*daemon);
  if (ended.everywhere) {
    if (!message.empty()) message.insert(0, ": ");
    if (failed) {
      std::string text = "everywhere() failed on " + name_of(*daemon) + message;
      everywheres_.on_failed(key, daemon->slot, std::move(text), sends);
    }
    everywheres_.on_answer(key, id, Resolve{{}, Code::none, {}, std::move(payload), failed, usage}, sends);
  } else {
    ++slots_[daemon->slot].complete;
    if (!ended.discarded) {
      Task done = tasks_.take(*tasks_.find(key));
      sends.emplace_back(
          Resolve{key, Code::none, {}, std::move(payload), failed, usage, 0, std::move(done.payload)});
    }
  }
  go_on_after_answer(*daemon, last, sends);
  return sends;
}

// What is running there, where this is an answer to it.
Dispatcher::Running* Dispatcher::awaited(DaemonId id, const TaskKey& key, std::uint32_t attempt) {
  Daemon* daemon = find(id);
  if (daemon != nullptr && daemon->running && daemon->running->key == key &&
      daemon->running->attempt == attempt) {
    return &*daemon->running;
  }
  ++violations_;
  if (daemon != nullptr) ++daemon->violations;
  return nullptr;
}

void Dispatcher::go_on_after_answer(Daemon& daemon, bool last, Sends& sends) {
  // Ephemeral, or its time is over: it was for this task.
  bool spent = rules_.policy == Policy::ephemeral || daemon.draining;
  if (last || spent) stop_taking(daemon);
  if (!feed(daemon, sends)) {
    sends.emplace_back(Acknowledge{daemon.id});
    if (spent) dismiss(daemon, sends);
  }
  // What waited for this daemon may have been given back (feed()).
  if (last || rules_.policy == Policy::direct) hand_out(sends);
  notice_long_requests(sends);
}

Sends Dispatcher::on_launch_failed(Time now, const Cause& cause) {
  now_ = now;
  Sends sends;
  if (starting_ == 0) return sends;
  --starting_;
  if (!queue_.empty()) {
    const Task& head = *tasks_.find(queue_.first()->key);
    resolve(now, head, Code::reset, cause.text, sends);
  }
  hand_out(sends);
  return sends;
}

Sends Dispatcher::on_scaled(Time now, std::optional<std::chrono::milliseconds> room) {
  now_ = now;
  Sends sends;
  notices_.on_scaled(room);
  notice_long_requests(sends);
  return sends;
}

Sends Dispatcher::on_unneeded(Time now, const std::vector<std::size_t>& slots) {
  now_ = now;
  Sends sends;
  for (std::size_t slot : slots) {
    if (slot < slots_.size() && slots_[slot].online) drain(*find(daemon_at_[slot]), sends);
  }
  return sends;
}

Sends Dispatcher::on_size_unavailable(Time now, Size size, const std::string& why) {
  now_ = now;
  Sends sends;
  for (const auto& [need, count] : larger_needs()) {
    if (!covers(need, size) || has_daemon_for(need)) continue;
    for (const TaskKey& key : queue_.with_need(need)) {
      const Task& task = *tasks_.find(key);
      resolve(now, task, Code::reset, tasks_.explanation_of(task) + ", and " + why, sends);
    }
  }
  return sends;
}

Sends Dispatcher::regenerate(Time now, std::size_t slot) {
  now_ = now;
  Sends sends;
  if (slot >= slots_.size()) return sends;
  slots_[slot].instance = -std::abs(slots_[slot].instance);
  if (!slots_[slot].online) return sends;
  Daemon gone = remove(*find(daemon_at_[slot]));
  fail_everywheres(gone, Code::closed, "was given a new URL", sends);
  if (gone.running && !gone.running->everywhere) {
    slots_[slot].complete += gone.running->count;
    if (!gone.running->discarded) {
      std::string reason = name_of(gone) + " was given a new URL while it ran this task";
      sends.emplace_back(failure_of(take(*tasks_.find(gone.running->key)), Code::closed, std::move(reason)));
    }
  }
  slots_[slot].end = "was given a new URL";
  give_up_pinned(gone, Code::closed, slots_[slot].end, sends);
  hand_out(sends);
  notice_what_waits(sends);
  return sends;
}

// --- time ---

std::optional<Time> Dispatcher::next_timer() const {
  std::optional<Time> next = tasks_.first_deadline();
  for (const std::optional<Time>& time : {timers_.next(), notices_.next_timer()}) {
    if (time && (!next || *time < *next)) next = time;
  }
  return next;
}

Sends Dispatcher::on_timer(Time now) {
  now_ = now;
  Sends sends;
  while (const Task* task = tasks_.find_overdue(now)) {
    std::string reason = "not answered within " + std::to_string(task->timeout.count()) + " ms; that ended " +
                         whereabouts(*task);
    resolve(now, *task, Code::timed_out, std::move(reason), sends);
  }
  if (std::optional<std::string> reason = notices_.take_end(now)) {
    while (auto head = queue_.first()) resolve(now, *tasks_.find(head->key), Code::reset, *reason, sends);
    everywheres_.give_up(*reason, sends);
  }
  if (notices_.may_tell(now)) {
    notice_what_waits(sends);
    notices_.on_told();
  }
  std::vector<DaemonTimers::Due> due = timers_.take_due(now);
  for (const DaemonTimers::Due& each : due) on_due(*find(each.daemon), each.kind, sends);
  // The daemons of one job drain together: what one has not begun is not for another.
  if (!due.empty()) hand_out(sends);
  return sends;
}

void Dispatcher::on_due(Daemon& daemon, DaemonTimers::Kind kind, Sends& sends) {
  switch (kind) {
    case DaemonTimers::Kind::kill:
      daemon.running->kill_at.reset();
      sends.emplace_back(Kill{daemon.id});
      return;
    case DaemonTimers::Kind::drain: drain(daemon, sends); return;
    case DaemonTimers::Kind::hand_back:
      if (daemon.running) sends.emplace_back(HandBack{daemon.id});
      return;
  }
}

}  // namespace tenkai
