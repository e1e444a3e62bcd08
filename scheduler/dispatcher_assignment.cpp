// The private half of the dispatcher: how tasks come from a queue to a daemon and,
// when something goes wrong, back. dispatcher.cpp says when.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "scheduler/dispatcher.h"

namespace tenkai {

// --- looking up ---

Dispatcher::Daemon* Dispatcher::find(DaemonId daemon) {
  auto found = daemons_.find(daemon);
  return found == daemons_.end() ? nullptr : &found->second;
}

const Dispatcher::Daemon* Dispatcher::find(DaemonId daemon) const {
  auto found = daemons_.find(daemon);
  return found == daemons_.end() ? nullptr : &found->second;
}

std::uint64_t Dispatcher::violations(DaemonId daemon) const {
  const Daemon* found = find(daemon);
  return found == nullptr ? 0 : found->violations;
}

std::optional<std::size_t> Dispatcher::slot_of(DaemonId daemon) const {
  const Daemon* found = find(daemon);
  if (found == nullptr) return std::nullopt;
  return found->slot;
}

bool Dispatcher::is_busy(DaemonId daemon) const {
  const Daemon* found = find(daemon);
  return found != nullptr && found->running.has_value();
}

Load Dispatcher::load(std::optional<std::chrono::milliseconds> room) const {
  Load load{queue_.usual(room), queue_.larger_needs(), {}};
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    SlotLoad slot{slots_[i].online, slots_[i].busy, false, std::nullopt, std::nullopt};
    if (slot.online) {
      const Daemon& daemon = *find(daemon_at_[i]);
      slot.leaving = daemon.leaving || daemon.draining;
      if (!slot.busy) slot.idle_since = daemon.idle_since;
      if (daemon.drain) slot.drain_begin = daemon.drain->begin;
    }
    load.slots.push_back(slot);
  }
  return load;
}

bool Dispatcher::has_daemon_for(const Size& need) const {
  return std::any_of(daemons_.begin(), daemons_.end(), [&](const auto& each) {
    return !each.second.leaving && covers(each.second.size, need);
  });
}

bool Dispatcher::is_awaited(DaemonId daemon, TaskKey key, std::uint32_t attempt) const {
  const Daemon* found = find(daemon);
  if (found == nullptr || !found->running) return false;
  const Running& running = *found->running;
  return running.key == key && running.attempt == attempt && !running.everywhere && !running.discarded;
}

bool Dispatcher::has_worked(DaemonId daemon) const {
  const Daemon* found = find(daemon);
  return found != nullptr && found->has_worked;
}

// Slots are numbered from 1 where users see them.
std::string Dispatcher::name_of(const Daemon& daemon) const {
  return "daemon " + std::to_string(daemon.slot + 1);
}

std::string Dispatcher::whereabouts(const Task& task) const {
  if (task.place == Task::Place::queued) return "while it waited for a daemon";
  std::string_view did = task.place == Task::Place::waiting ? "waited for " : "ran on ";
  return "while it " + std::string(did) + name_of(*find(task.daemon));
}

// Why so many bytes more cannot be held; empty when they can. A task that is
// alone is taken whatever its size, or it could never run.
std::string Dispatcher::refusal_of(std::uint64_t bytes) const {
  if (tasks_.memory() == 0 || bytes <= rules_.memory_limit - std::min(rules_.memory_limit, memory()))
    return {};
  return "its " + std::to_string(bytes) + " bytes and the " + std::to_string(memory()) +
         " bytes held already exceed the memory limit of " + std::to_string(rules_.memory_limit) +
         " bytes; submit it when some of that has resolved, or raise the limit";
}

// With Policy::queue the slots are given and the one that is wanted must be free.
// Otherwise slots are used again, so that a million short-lived daemons need no
// more of them than there are daemons at a time.
std::optional<std::size_t> Dispatcher::place_for_daemon(std::size_t wanted) {
  if (has_slots(rules_.policy)) {
    if (wanted >= slots_.size() || slots_[wanted].online) return std::nullopt;
    return wanted;
  }
  if (!vacant_.empty()) return vacant_.extract(vacant_.begin()).value();
  slots_.emplace_back();
  daemon_at_.emplace_back();
  return slots_.size() - 1;
}

// --- from the queue to a daemon ---

void Dispatcher::enqueue(Task& task) {
  if (task.pinned) return wait_at(*find(task.daemon), task);
  task.place = Task::Place::queued;
  queue_.add(task);
}

// `most`: to so many daemons, where it is known that there is no more to hand out.
void Dispatcher::hand_out(Sends& sends, std::size_t most) {
  switch (rules_.policy) {
    case Policy::queue:
    case Policy::open:
      // feed() takes out the one that it has given something, and no other.
      for (auto slot = free_.begin(); slot != free_.end() && !queue_.empty() && most > 0;) {
        if (feed(*find(daemon_at_[*slot++]), sends)) --most;
      }
      return;
    case Policy::direct: deal(sends); return;
    case Policy::ephemeral: launch(sends); return;
  }
}

// Binds each queued task to the next daemon in turn, passing those that have no time
// for any.
void Dispatcher::deal(Sends& sends) {
  std::size_t passed = 0;
  while (!queue_.empty() && passed < takers_.size()) {
    auto next = takers_.upper_bound(last_dealt_);
    if (next == takers_.end()) next = takers_.begin();
    last_dealt_ = *next;
    Daemon& daemon = *find(daemon_at_[*next]);
    auto head = queue_.first(room_of(daemon));
    if (!head) {
      ++passed;
      continue;
    }
    passed = 0;
    Task& task = fitting(*tasks_.find(head->key));
    queue_.remove(task);
    wait_at(daemon, task);
    feed(daemon, sends);
  }
}

// A process for each queued task, as far as there is room. Processes that are still
// starting are not bound to a task: one whose task was cancelled serves the next.
void Dispatcher::launch(Sends& sends) {
  std::size_t limit = std::max<std::size_t>(rules_.max_ephemeral, 1);
  while (starting_ < queue_.size() && daemons_.size() + starting_ < limit) {
    ++starting_;
    sends.emplace_back(StartLocal{});
  }
}

// Sends an idle daemon what is due next for it, or notes that it is free. True
// when something was sent.
//
// An everywhere() is due when it is older than the next task. One that is older
// than the daemon itself is due even before a task that is older still, because to
// a daemon that joins late it is part of how a daemon is set up.
bool Dispatcher::feed(Daemon& daemon, Sends& sends) {
  if (daemon.running || daemon.suspect || daemon.leaving) return false;
  std::optional<TaskQueue::Head> head = next_for(daemon);
  if (const Everywheres::Everywhere* everywhere = everywheres_.after(daemon.last_everywhere)) {
    std::uint64_t sequence = everywhere->sequence;
    bool due = !head || sequence < daemon.joined_at || sequence < head->sequence;
    if (due) {
      assign(daemon, *everywhere, sends);
      return true;
    }
  }
  if (!head) {
    requeue_waiting(daemon);
    free_.insert(daemon.slot);
    return false;
  }
  assign(daemon, fitting(*tasks_.find(head->key)), sends);
  return true;
}

// The oldest task that it may run: of those that are bound to it, and of those of all.
std::optional<TaskQueue::Head> Dispatcher::next_for(const Daemon& daemon) const {
  std::optional<std::chrono::milliseconds> room = room_of(daemon);
  std::optional<TaskQueue::Head> bound;
  if (!daemon.waiting.empty()) bound = daemon.waiting.first(room, daemon.size);
  if (rules_.policy == Policy::direct) return bound;
  std::optional<TaskQueue::Head> any = queue_.first(room, daemon.size);
  return any && (!bound || any->sequence < bound->sequence) ? any : bound;
}

// What a daemon's job has time for; nullopt: for anything. A task may run until it would
// be taken away.
std::optional<std::chrono::milliseconds> Dispatcher::room_of(const Daemon& daemon) const {
  if (!daemon.drain) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(daemon.drain->deadline - now_);
}

// Nothing new for a daemon whose job is about to end, or that is not needed. When it has done
// what it does, it goes, and its job may end before its time.
void Dispatcher::drain(Daemon& daemon, Sends& sends) {
  if (daemon.drain) timers_.drop(daemon.drain->begin, DaemonTimers::Kind::drain, daemon.id);
  daemon.draining = true;
  stop_taking(daemon);
  if (!daemon.running) dismiss(daemon, sends);
}

// The same for one that may be running something already. A fresh process for which
// nothing is left, because its task was cancelled, has no other use.
void Dispatcher::go_on(Daemon& daemon, Sends& sends) {
  if (daemon.running || feed(daemon, sends)) return;
  if (rules_.policy == Policy::ephemeral && !daemon.suspect && !daemon.leaving) dismiss(daemon, sends);
}

void Dispatcher::assign(Daemon& daemon, Task& task, Sends& sends) {
  if (task.place == Task::Place::waiting) {
    daemon.waiting.remove(task);
    waiting_ -= task.count;
  } else {
    queue_.remove(task);
  }
  task.place = Task::Place::running;
  task.daemon = daemon.id;
  ++task.attempts;
  slots_[daemon.slot].assigned += task.count;
  daemon.has_worked = true;
  Running running;
  running.key = task.key;
  running.attempt = task.attempts;
  start(daemon, running);
  if (task.map) return assign_piece(daemon, task, sends);
  sends.emplace_back(Assign{daemon.id, task.key, task.attempts, TaskKind::plain, task.payload, task.label});
}

void Dispatcher::assign(Daemon& daemon, const Everywheres::Everywhere& everywhere, Sends& sends) {
  daemon.last_everywhere = everywhere.sequence;
  Running running;
  running.key = everywhere.key();
  running.attempt = ++daemon.everywhere_attempts;
  running.everywhere = true;
  start(daemon, running);
  sends.emplace_back(
      Assign{daemon.id, running.key, running.attempt, TaskKind::everywhere, everywhere.payload, {}});
}

void Dispatcher::start(Daemon& daemon, Running running) {
  daemon.running = running;
  daemon.running->sent_at = now_;
  slots_[daemon.slot].busy = true;
  free_.erase(daemon.slot);
}

void Dispatcher::dismiss(Daemon& daemon, Sends& sends) {
  if (daemon.dismissed) return;
  daemon.dismissed = true;
  stop_taking(daemon);
  sends.emplace_back(Dismiss{daemon.id});
}

// --- and back ---

Dispatcher::Running Dispatcher::end_attempt(Daemon& daemon) {
  Running ended = *daemon.running;
  if (ended.kill_at) timers_.drop(*ended.kill_at, DaemonTimers::Kind::kill, daemon.id);
  daemon.running.reset();
  daemon.idle_since = now_;
  slots_[daemon.slot].busy = false;
  return ended;
}

// A task that a daemon had and is not to have any more; of a piece what is still wanted.
void Dispatcher::requeue(Task& task) {
  if (!task.map) return enqueue(task);
  requeue_rest(take(task), 0);
}

// Requeues what the daemon was sent and has not received.
void Dispatcher::requeue_unreceived(Daemon& daemon) {
  Running lost = end_attempt(daemon);
  if (lost.everywhere) {
    daemon.last_everywhere = (lost.key.task & ~everywhere_bit) - 1;
  } else if (!lost.discarded) {
    requeue(*tasks_.find(lost.key));
  }
}

// Requeues what a stopped daemon was sent. It may be there already, unread: the interrupt comes
// behind it. The preparation of everywhere() is for this daemon alone.
void Dispatcher::requeue_from_stopped(Daemon& daemon, Sends& sends) {
  Running& running = *daemon.running;
  if (running.everywhere || running.discarded) return;
  Task& task = *tasks_.find(running.key);
  if (task.pinned) return;
  running.discarded = true;
  sends.emplace_back(Interrupt{daemon.id, running.key, running.attempt});
  requeue(task);
}

// No new task for it; what it has stays with it.
void Dispatcher::shut(Daemon& daemon) {
  takers_.erase(daemon.slot);
  free_.erase(daemon.slot);
}

// ... for ever: what only waited for it goes to others.
void Dispatcher::stop_taking(Daemon& daemon) {
  daemon.leaving = true;
  shut(daemon);
  requeue_waiting(daemon);
}

// Requeues the tasks that were bound to this daemon and waited for it; what is pinned stays.
void Dispatcher::requeue_waiting(Daemon& daemon) {
  if (daemon.waiting.empty()) return;
  TaskQueue waited = std::exchange(daemon.waiting, TaskQueue());
  waiting_ -= waited.size();
  while (auto head = waited.first()) {
    Task& task = *tasks_.find(head->key);
    waited.remove(task);
    enqueue(task);
  }
}

Dispatcher::Daemon Dispatcher::remove(Daemon& daemon) {
  stop_taking(daemon);
  if (daemon.running && daemon.running->kill_at)
    timers_.drop(*daemon.running->kill_at, DaemonTimers::Kind::kill, daemon.id);
  if (daemon.drain) {
    timers_.drop(daemon.drain->begin, DaemonTimers::Kind::drain, daemon.id);
    timers_.drop(daemon.drain->deadline, DaemonTimers::Kind::hand_back, daemon.id);
  }
  Slot& slot = slots_[daemon.slot];
  slot.online = slot.suspect = slot.busy = false;
  if (!has_slots(rules_.policy)) vacant_.insert(daemon.slot);
  return std::move(daemons_.extract(daemon.id).mapped());
}

// A daemon has died with this attempt in its hands: requeues the task for another attempt, or
// resolves it where its retries are used up.
void Dispatcher::retry(const Running& running, const Daemon& daemon, const Cause& cause, Sends& sends) {
  bool as_told = cause.kind == Cause::Kind::goodbye;
  if (running.everywhere && !as_told) {
    std::string text = name_of(daemon) + " " + in_full(cause) +
                       " while it ran everywhere(); the next one in its place runs that first, too";
    return everywheres_.on_failed(running.key, daemon.slot, std::move(text), sends);
  }
  if (running.everywhere || running.discarded) return;
  Task& task = *tasks_.find(running.key);
  if (task.map && task.count > 1) return requeue_one_by_one(task);
  if (as_told && !task.pinned) return enqueue(task);
  task.deaths.add(cause.kind);
  // Direct: tasks are bound to daemons; ephemeral: to this machine. There is nothing larger.
  bool escalates = has_slots(rules_.policy) && rules_.retries.escalates(cause.kind);
  std::optional<Size> need = task.need;
  if (escalates) need = rules_.retries.need_after(cause.kind, daemon.size);
  bool again = need && !task.pinned && rules_.retries.permit(task.deaths, cause.kind);
  if (again && escalates) escalate(task, *need, daemon, cause, sends);
  if (again) {
    tasks_.add_to_story(task, name_of(daemon) + " " + cause.text);
    return enqueue(task);
  }
  std::string reason = name_of(daemon) + " " + cause.text + " while it ran this task";
  if (!need) reason += "; it has been given more " + std::to_string(max_steps) + " times, which is the limit";
  int tries = task.deaths.total();
  if (tries > 1) {
    reason += "; it was tried " + std::to_string(tries) + " times, and before that " +
              tasks_.story_of(task, tries - 1);
  }
  if (!cause.log.empty()) reason += "; the last lines of " + name_of(daemon) + ": " + cause.log;
  sends.emplace_back(failure_of(take(task), Code::reset, std::move(reason)));
}

// From now on the task needs more.
void Dispatcher::escalate(Task& task, const Size& need, const Daemon& daemon, const Cause& cause,
                          Sends& sends) {
  task.need = need;
  tasks_.explain(task, name_of(daemon) + " " + cause.text + " while it ran this task");
  notices_.on_escalated(task.key.session, name_of(daemon), cause, rules_.retries.factors, sends);
}

// --- giving up on a task ---

// `task` has been taken out of tasks_; takes it out of where it stands.
void Dispatcher::withdraw(Time now, const Task& task, Sends& sends) {
  if (task.place == Task::Place::queued) {
    queue_.remove(task);
    if (queue_.empty() && !everywheres_.waiting()) notices_.on_nothing_waits();
    return;
  }
  Daemon& daemon = *find(task.daemon);
  if (task.place == Task::Place::waiting) {
    daemon.waiting.remove(task);
    waiting_ -= task.count;
    return;
  }
  daemon.running->discarded = true;
  interrupt(now, daemon, sends);
}

void Dispatcher::interrupt(Time now, Daemon& daemon, Sends& sends) {
  Running& running = *daemon.running;
  running.interrupted = true;
  if (rules_.kill_after && !running.kill_at) {
    running.kill_at = now + bounded_wait(*rules_.kill_after);
    timers_.set(*running.kill_at, DaemonTimers::Kind::kill, daemon.id);
  }
  sends.emplace_back(Interrupt{daemon.id, running.key, running.attempt});
}

void Dispatcher::resolve(Time now, const Task& task, Code code, std::string reason, Sends& sends) {
  Task gone = take(task);
  sends.emplace_back(failure_of(gone, code, std::move(reason)));
  withdraw(now, gone, sends);
}

}  // namespace tenkai
