// How the parts of the state hang together.
//
// A task stands in exactly one place: in queue_, in the queue of one daemon
// (Policy::direct), or in the `running` of one daemon. Each place is ordered by
// sequence, the number a task gets when it is submitted and keeps for its life, so
// that one which comes back from a dead daemon stands where it stood before.
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

#include "base/text.h"

namespace tenkai {
namespace {

// How long tasks wait for a first daemon that somebody is to start before they are told.
constexpr std::chrono::seconds silence{5};

}  // namespace

Dispatcher::Dispatcher(Rules rules, std::size_t slots) : rules_(std::move(rules)) {
  if (rules_.policy != Policy::queue) return;
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
  for (auto at = everywheres_.begin(); at != everywheres_.end();) {
    if (at->second.session != session) {
      ++at;
      continue;
    }
    everywhere_memory_ -= size_of(at->second.payload);
    at = everywheres_.erase(at);
  }
  return sends;
}

Sends Dispatcher::on_submit(Time now, SessionId session, Submit submit) {
  now_ = now;
  Sends sends;
  if (!tasks_.knows(session)) return sends;
  TaskKey key{session, submit.task};
  if (tasks_.find(key) != nullptr) {
    sends.emplace_back(Tell{session, "task " + std::to_string(key.task) +
                                         " was submitted again before it was resolved; that was ignored"});
    return sends;
  }
  if ((key.task & everywhere_bit) != 0) {
    sends.emplace_back(
        Resolve{key, Code::cancelled, "task numbers from 2^63 on are not for sessions", {}, false});
    return sends;
  }
  std::string refusal = refusal_of(size_of(submit.payload));
  if (!refusal.empty()) {
    sends.emplace_back(Resolve{key, Code::out_of_memory, "the task was not taken: " + refusal, {}, false});
    return sends;
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
    longest_request_ = std::max(longest_request_, *submit.time_request);
  }
  enqueue(tasks_.add(std::move(task)));
  // What waited before fits none of those that are free: a thousand need not be asked again.
  hand_out(sends, 1);
  tell_if_alone(sends);
  tell_if_too_long(sends);
  return sends;
}

Sends Dispatcher::on_everywhere(Time now, SessionId session, Payload payload) {
  now_ = now;
  Sends sends;
  if (!tasks_.knows(session)) return sends;
  std::string refusal = refusal_of(size_of(payload));
  if (rules_.policy == Policy::ephemeral) {
    refusal = "there are no daemons; each task has a fresh R process of its own";
  } else if (size_of(payload) > rules_.memory_limit - std::min(rules_.memory_limit, everywhere_memory_)) {
    refusal = "its " + std::to_string(size_of(payload)) + " bytes and the " +
              std::to_string(everywhere_memory_) +
              " bytes of earlier ones, kept for daemons that join later, exceed the memory limit of " +
              std::to_string(rules_.memory_limit) + " bytes";
  }
  if (!refusal.empty()) {
    sends.emplace_back(Tell{session, "everywhere() was not run: " + refusal});
    return sends;
  }
  everywhere_memory_ += size_of(payload);
  everywheres_.emplace(next_sequence_++, Everywhere{session, std::move(payload), {}});
  // The others get it when they have answered, or are heard again.
  std::set<std::size_t> free = free_;
  for (std::size_t slot : free) feed(*find(daemon_at_[slot]), sends);
  return sends;
}

Sends Dispatcher::on_cancel(Time now, SessionId session, std::uint64_t task) {
  now_ = now;
  Sends sends;
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
  why_alone_.clear();
  told_alone_ = false;
  give_up_at_.reset();
  tell_waiting_at_.reset();
  if (left) {
    daemon.drain = Drain::in(now, bounded_wait(*left));
    drain_begins_.emplace(daemon.drain->begin, id);
    drain_deadlines_.emplace(daemon.drain->deadline, id);
    if (daemon.drain->begin <= now) drain(daemon, sends);
  }
  if (!knows_room_) {
    std::chrono::milliseconds room = room_of(daemon).value_or(std::chrono::milliseconds::max());
    next_room_ = std::max(next_room_.value_or(room), room);
  }
  go_on(daemon, sends);
  hand_out(sends);
  tell_if_too_long(sends);
  return sends;
}

Sends Dispatcher::on_daemon_resumed(Time now, DaemonId id, std::optional<Held> held) {
  now_ = now;
  Sends sends;
  Daemon* daemon = find(id);
  if (daemon == nullptr) return sends;
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
  if (gone.running) retry(*gone.running, gone, cause, sends);
  hand_out(sends);
  if (rules_.policy != Policy::ephemeral && daemons_.empty()) {
    last_left_ = gone.slot + 1;
    bool as_told = cause.kind == Cause::Kind::goodbye;
    why_alone_ = as_told ? "has ended as it was told to (idletime, walltime, maxtasks)" : in_full(cause);
    tell_if_alone(sends);
  }
  tell_if_too_long(sends);
  return sends;
}

Sends Dispatcher::on_prospects(Time now, Prospects prospects) {
  now_ = now;
  Sends sends;
  if (prospects.kind != Prospects::Kind::none) give_up_at_.reset();
  if (prospects.kind == Prospects::Kind::coming) {
    told_alone_ = false;
    tell_waiting_at_.reset();
  }
  prospects_ = std::move(prospects);
  tell_if_alone(sends);
  return sends;
}

// How the last daemon has left, or why none has come; empty: none has been expected yet.
std::string Dispatcher::why_alone() const {
  if (why_alone_.empty()) return prospects_.why;
  return "daemon " + std::to_string(last_left_) + " " + why_alone_;
}

void Dispatcher::tell_if_alone(Sends& sends) {
  if (!daemons_.empty() || prospects_.kind == Prospects::Kind::coming || queue_.empty()) return;
  bool none = prospects_.kind == Prospects::Kind::none;
  if (none && rules_.patience && !give_up_at_) give_up_at_ = now_ + bounded_wait(*rules_.patience);
  // What needs a larger daemon than usual has the launcher look for one.
  std::optional<TaskQueue::Head> head = queue_.first({}, Size());
  std::string why = why_alone();
  if (told_alone_ || !head) return;
  if (why.empty()) {
    if (rules_.policy == Policy::ephemeral) return;  // each task has a process started for it
    if (!tell_waiting_at_) tell_waiting_at_ = now_ + silence;
    if (now_ < *tell_waiting_at_) return;
  }
  tell_waiting_at_.reset();
  told_alone_ = true;
  std::string slot =
      std::to_string(rules_.policy == Policy::direct ? 1 : std::max<std::size_t>(last_left_, 1));
  std::string text = why.empty()          ? "no daemon has joined yet"
                     : why_alone_.empty() ? "no daemon is coming: "
                                          : "no daemon is left: ";
  text += why + "; tasks wait until one joins, launch_local(" + slot +
          ") starts one here, launch_remote() one elsewhere";
  if (give_up_at_)
    text += ". Those that still wait in " + in_seconds(*rules_.patience) +
            " (daemons(patience =)) resolve to an error value 19";
  sends.emplace_back(Tell{head->key.session, std::move(text)});
}

void Dispatcher::give_up_all(Sends& sends) {
  give_up_at_.reset();
  told_alone_ = false;  // what is submitted from now on waits anew
  std::string reason = "no daemon has come for " + in_seconds(*rules_.patience) + ": " + why_alone();
  while (auto head = queue_.first()) resolve(now_, *tasks_.find(head->key), Code::reset, reason, sends);
}

// Tasks that ask for more than the next daemons have, and than any that is here has left.
void Dispatcher::tell_if_too_long(Sends& sends) {
  if (longest_request_.count() == 0 || told_too_long_ || !next_room_) return;
  auto longest = queue_.longest();
  if (rules_.policy != Policy::queue || !longest || longest->first <= *next_room_) return;
  auto [request, key] = *longest;
  bool any_has_time = std::any_of(daemons_.begin(), daemons_.end(), [&, request = request](const auto& each) {
    std::optional<std::chrono::milliseconds> room = room_of(each.second);
    return !each.second.leaving && (!room || request <= *room);
  });
  if (any_has_time) return;
  told_too_long_ = true;
  // As it was asked, where that is known: the queue rounds up.
  std::string rounded;
  if (rounded_request(longest_request_) == request) {
    // That it is rounded up is of interest where it is the reason.
    bool fits = longest_request_ <= *next_room_;
    if (fits) rounded = ", rounded up to " + in_seconds(std::chrono::ceil<std::chrono::seconds>(request));
    request = longest_request_;
  }
  auto room = std::chrono::floor<std::chrono::seconds>(*next_room_);
  sends.emplace_back(
      Tell{key.session,
           "a task asks for " + in_seconds(request) + " (.time_request" + rounded +
               "), and daemons have at most " + in_seconds(room) +
               " for tasks: it waits until one comes that has more. Ask for longer jobs (slurm.time in "
               "a profile), or cancel it"});
}

Sends Dispatcher::on_finished(Time now, DaemonId id, TaskKey key, std::uint32_t attempt, Payload payload,
                              bool failed, bool last, std::string message, Usage usage) {
  now_ = now;
  Sends sends;
  sends.reserve(2);  // the answer, and the next task
  Daemon* daemon = find(id);
  bool awaited = daemon != nullptr && daemon->running && daemon->running->key == key &&
                 daemon->running->attempt == attempt;
  if (!awaited) {
    ++violations_;
    if (daemon != nullptr) ++daemon->violations;
    return sends;
  }
  Running ended = end_attempt(*daemon);
  if (ended.everywhere) {
    if (!message.empty()) message.insert(0, ": ");
    if (failed) tell_failure(key, *daemon, "everywhere() failed on " + name_of(*daemon) + message, sends);
  } else {
    ++slots_[daemon->slot].complete;
    if (!ended.discarded) {
      Task done = tasks_.take(*tasks_.find(key));
      sends.emplace_back(
          Resolve{key, Code::none, {}, std::move(payload), failed, usage, std::move(done.payload)});
    }
  }
  // Ephemeral, or its time is over: it was for this task.
  bool spent = rules_.policy == Policy::ephemeral || daemon->draining;
  if (last || spent) stop_taking(*daemon);
  if (!feed(*daemon, sends)) {
    sends.emplace_back(Acknowledge{id});
    if (spent) dismiss(*daemon, sends);
  }
  // What waited for this daemon may have been given back (feed()).
  if (last || rules_.policy == Policy::direct) hand_out(sends);
  tell_if_too_long(sends);
  return sends;
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
  knows_room_ = room.has_value();
  if (room) next_room_ = room;
  tell_if_too_long(sends);
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
  if (gone.running && !gone.running->everywhere) {
    ++slots_[slot].complete;
    if (!gone.running->discarded) {
      Task task = tasks_.take(*tasks_.find(gone.running->key));
      std::string reason = name_of(gone) + " was given a new URL while it ran this task";
      sends.emplace_back(Resolve{task.key, Code::closed, std::move(reason), {}, false});
    }
  }
  hand_out(sends);
  tell_if_alone(sends);
  return sends;
}

// --- time ---

std::optional<Time> Dispatcher::next_timer() const {
  std::optional<Time> next = tasks_.first_deadline();
  for (const auto* times : {&kills_, &drain_begins_, &drain_deadlines_}) {
    if (!times->empty() && (!next || times->begin()->first < *next)) next = times->begin()->first;
  }
  for (const std::optional<Time>& time : {give_up_at_, tell_waiting_at_}) {
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
  if (give_up_at_ && *give_up_at_ <= now) give_up_all(sends);
  if (tell_waiting_at_ && *tell_waiting_at_ <= now) {
    tell_if_alone(sends);
    tell_waiting_at_.reset();
  }
  while (!kills_.empty() && kills_.begin()->first <= now) {
    DaemonId id = kills_.begin()->second;
    kills_.erase(kills_.begin());
    find(id)->running->kill_at.reset();
    sends.emplace_back(Kill{id});
  }
  // The daemons of one job drain together: what one has not begun is not for another.
  bool called = false;
  while (!drain_begins_.empty() && drain_begins_.begin()->first <= now) {
    drain(*find(drain_begins_.begin()->second), sends);
    called = true;
  }
  if (called) hand_out(sends);
  while (!drain_deadlines_.empty() && drain_deadlines_.begin()->first <= now) {
    DaemonId id = drain_deadlines_.begin()->second;
    drain_deadlines_.erase(drain_deadlines_.begin());
    if (find(id)->running) sends.emplace_back(HandBack{id});
  }
  return sends;
}

}  // namespace tenkai
