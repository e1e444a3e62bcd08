// What must follow from an event.
#include "tests/scheduler/world.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "base/shared_blocks.h"

namespace tenkai::tests {

using Kind = Event::Kind;

World::World(Rules rules, std::size_t slots) : rules_(std::move(rules)) {
  if (has_slots(rules_.policy)) slots_.resize(slots);
}

void World::foresee(const Event& event) {
  resolves_.clear();
  interrupts_.clear();
  kills_.clear();
  hand_backs_.clear();
  now_ = event.now;
  dismisses_.clear();
  answered_.reset();
  tells_ = 0;
  ignored_ = false;
  Daemon* daemon = find(event.daemon);
  switch (event.kind) {
    case Kind::session_joined: sessions_.insert(event.session); break;
    case Kind::session_left:
      sessions_.erase(event.session);
      for (auto at = tasks_.begin(); at != tasks_.end();) {
        if (at->first.session != event.session) {
          ++at;
          continue;
        }
        withdraw(event.now, at->second);
        at = tasks_.erase(at);
      }
      std::erase_if(everywheres_, [&](const auto& item) { return item.second.session == event.session; });
      break;
    case Kind::submit: foresee_submit(event); break;
    case Kind::everywhere: foresee_everywhere(event); break;
    case Kind::cancel:
      if (find(event.key) != nullptr) give_up(event.now, event.key, Code::cancelled);
      break;
    case Kind::joined: foresee_joined(event); break;
    case Kind::resumed:
      if (daemon != nullptr) foresee_resumed(event, *daemon);
      break;
    case Kind::suspect:
    case Kind::heard:
      if (daemon != nullptr) daemon->suspect = slots_[daemon->slot].suspect = event.kind == Kind::suspect;
      break;
    case Kind::stopped:
      if (daemon != nullptr && daemon->suspect) foresee_stopped(event, *daemon);
      break;
    case Kind::leaving:
      if (daemon != nullptr) stop(event.daemon, *daemon);
      break;
    case Kind::drain:
      if (daemon != nullptr) drain(event.daemon, *daemon);
      break;
    case Kind::left:
      if (daemon != nullptr) foresee_left(event, *daemon);
      break;
    case Kind::finished: foresee_finished(event); break;
    case Kind::launch_failed:
      if (starting_ == 0) break;
      --starting_;
      if (!source_of(0).empty()) give_up(event.now, source_of(0).begin()->second, Code::reset);
      break;
    case Kind::size_unavailable: foresee_size_unavailable(event); break;
    case Kind::prospects:
      prospects_ = event.prospects;
      if (prospects_.kind == Prospects::Kind::coming) told_alone_ = false;
      break;
    case Kind::regenerate: foresee_regenerate(event); break;
    case Kind::timer: foresee_timer(event); break;
  }
  deal();
  bool hopeless = daemons_.empty() && prospects_.kind == Prospects::Kind::none && !source_of(0).empty();
  if (!hopeless) give_up_at_.reset();
  if (hopeless && rules_.patience && !give_up_at_) give_up_at_ = event.now + *rules_.patience;
  if (!is_silent()) tell_waiting_at_.reset();
  else if (!tell_waiting_at_) tell_waiting_at_ = event.now + std::chrono::seconds(5);
}

void World::foresee_submit(const Event& event) {
  if (sessions_.count(event.session) == 0) return;
  TaskKey key{event.session, event.submit.task};
  if (find(key) != nullptr) {
    ++tells_;
  } else if (exceeds_memory(task_memory(event.submit.payload) - task_memory())) {
    resolves_[key] = Code::out_of_memory;
  } else {
    Unresolved& task = tasks_[key];
    task.sequence = next_sequence_++;
    task.submit = event.submit;
    if (event.submit.timeout) task.deadline = event.now + *event.submit.timeout;
  }
}

void World::foresee_everywhere(const Event& event) {
  if (sessions_.count(event.session) == 0) return;
  std::uint64_t size = size_with_files(event.payload);
  bool refused = rules_.policy == Policy::ephemeral || exceeds_memory(size) ||
                 everywhere_memory() + size > rules_.memory_limit;
  if (refused) {
    ++tells_;
  } else {
    everywheres_[next_sequence_++] = {event.session, event.payload, {}};
  }
}

void World::foresee_joined(const Event& event) {
  if (find(event.daemon) != nullptr) return;
  if (starting_ > 0) --starting_;
  std::size_t slot = event.slot;
  if (!has_slots(rules_.policy)) {
    auto vacant = std::find_if(slots_.begin(), slots_.end(), [](const Slot& each) { return !each.online; });
    slot = static_cast<std::size_t>(vacant - slots_.begin());
    if (vacant == slots_.end()) slots_.emplace_back();
  } else if (slot >= slots_.size() || slots_[slot].online) {
    dismisses_.insert(event.daemon);
    return;
  }
  has_left_ = told_alone_ = false;
  auto room = std::chrono::milliseconds::max();
  if (event.left) {
    Drain drain = Drain::in(event.now, *event.left);
    room = std::chrono::duration_cast<std::chrono::milliseconds>(drain.deadline - event.now);
  }
  most_room_ = std::max(most_room_.value_or(room), room);
  has_joined_ = true;
  daemons_[event.daemon].slot = slot;
  daemons_[event.daemon].joined_at = next_sequence_;
  slots_[slot].online = true;
  slots_[slot].instance = std::abs(slots_[slot].instance) + 1;
  Daemon& daemon = daemons_[event.daemon];
  daemon.size = event.size;
  if (event.left) daemon.drain = Drain::in(event.now, *event.left);
  if (daemon.drain && daemon.drain->begin <= event.now) {
    daemon.draining = true;
    stop(event.daemon, daemon);
    dismisses_.insert(event.daemon);
  }
}

void World::foresee_resumed(const Event& event, Daemon& daemon) {
  bool kept = daemon.run && event.held && event.held->key == daemon.run->key &&
              event.held->attempt == daemon.run->attempt;
  if (event.held && (!kept || daemon.run->discarded)) {
    interrupts_.emplace(event.daemon, event.held->key, event.held->attempt);
  }
  daemon.suspect = slots_[daemon.slot].suspect = false;
  if (std::exchange(daemon.dismissed, false)) dismisses_.insert(event.daemon);
  if (kept || !daemon.run) return;
  if (daemon.run->everywhere > 0) daemon.everywheres.erase(daemon.run->everywhere);
  if (daemon.run->everywhere == 0 && !daemon.run->discarded) requeue(daemon.run->key);
  daemon.run.reset();
  slots_[daemon.slot].busy = false;
}

void World::foresee_stopped(const Event& event, Daemon& daemon) {
  free_those_at(event.daemon);
  std::optional<Run>& run = daemon.run;
  if (!run || run->everywhere > 0 || run->discarded || event.heard > run->sent_at) return;
  interrupts_.emplace(event.daemon, run->key, run->attempt);
  requeue(run->key);
  run->discarded = true;
}

void World::foresee_left(const Event& event, Daemon& daemon) {
  std::optional<Run> run = daemon.run;
  stop(event.daemon, daemon);
  const Daemon gone = daemon;
  forget(event.daemon);
  if (daemons_.empty() && rules_.policy != Policy::ephemeral) has_left_ = true;
  bool as_told = event.cause.kind == Cause::Kind::goodbye;
  if (run && run->everywhere > 0 && !as_told) everywhere_failed(run->everywhere, gone.slot);
  if (!run || run->everywhere > 0 || run->discarded) return;
  Unresolved& task = tasks_[run->key];
  bool again = as_told;
  if (!again) {
    task.deaths.add(event.cause.kind);
    again = rules_.retries.permit(task.deaths, event.cause.kind) && escalate(task, gone, event.cause.kind);
  }
  requeue(run->key);
  if (!again) give_up(event.now, run->key, Code::reset);
}

void World::everywhere_failed(std::uint64_t sequence, std::size_t slot) {
  auto failed = everywheres_.find(sequence);
  if (failed != everywheres_.end() && failed->second.told.insert(slot).second) ++tells_;
}

// Whether what the task needs now is within the limit.
bool World::escalate(Unresolved& task, const Daemon& daemon, Cause::Kind kind) {
  bool more_memory = kind == Cause::Kind::oom && rules_.retries.factors.mem > 100;
  bool more_time = kind == Cause::Kind::time_limit && rules_.retries.factors.time > 100;
  if (!has_slots(rules_.policy) || (!more_memory && !more_time)) return true;
  Size need = daemon.size;
  if (more_memory) ++need.mem;
  if (more_time) ++need.time;
  if (need.mem > max_steps || need.time > max_steps) return false;
  task.need = need;
  if (told_escalations_.insert(kind).second) ++tells_;
  return true;
}

void World::foresee_size_unavailable(const Event& event) {
  std::vector<TaskKey> hopeless;
  for (const auto& [sequence, key] : source_of(0)) {
    const Unresolved& task = tasks_[key];
    bool is_here = std::any_of(daemons_.begin(), daemons_.end(), [&](const auto& each) {
      return !each.second.leaving && covers(each.second.size, task.need);
    });
    if (task.need != Size() && covers(task.need, event.size) && !is_here) hopeless.push_back(key);
  }
  for (TaskKey key : hopeless) give_up(event.now, key, Code::reset);
}

void World::foresee_finished(const Event& event) {
  Daemon* daemon = find(event.daemon);
  bool awaited = daemon != nullptr && daemon->run && daemon->run->key == event.key &&
                 daemon->run->attempt == event.attempt;
  if (!awaited) {
    ++violations_;
    ignored_ = true;
    return;
  }
  Run run = *daemon->run;
  daemon->run.reset();
  slots_[daemon->slot].busy = false;
  answered_ = event.daemon;
  if (run.everywhere > 0) {
    if (event.failed) everywhere_failed(run.everywhere, daemon->slot);
  } else {
    ++slots_[daemon->slot].complete;
    if (!run.discarded) {
      resolves_[event.key] = Code::none;
      tasks_.erase(event.key);
    }
  }
  if (event.last) stop(event.daemon, *daemon);
  if (rules_.policy == Policy::ephemeral || daemon->draining) {
    stop(event.daemon, *daemon);
    if (!daemon->dismissed) dismisses_.insert(event.daemon);
  }
}

void World::foresee_regenerate(const Event& event) {
  if (event.slot >= slots_.size()) return;
  Slot& slot = slots_[event.slot];
  slot.instance = -std::abs(slot.instance);
  auto there = std::find_if(daemons_.begin(), daemons_.end(),
                            [&](const auto& item) { return item.second.slot == event.slot; });
  if (there == daemons_.end()) return;
  std::optional<Run> run = there->second.run;
  stop(there->first, there->second);
  forget(there->first);
  if (!run || run->everywhere > 0) return;
  ++slot.complete;
  if (run->discarded) return;
  requeue(run->key);
  give_up(event.now, run->key, Code::closed);
}

void World::foresee_timer(const Event& event) {
  std::vector<TaskKey> overdue;
  for (const auto& [key, task] : tasks_) {
    if (task.deadline && *task.deadline <= event.now) overdue.push_back(key);
  }
  for (TaskKey key : overdue) give_up(event.now, key, Code::timed_out);
  foresee_patience(event);
  foresee_silence(event);
  for (auto& [id, daemon] : daemons_) {
    if (!daemon.run || !daemon.run->kill_at || *daemon.run->kill_at > event.now) continue;
    daemon.run->kill_at.reset();
    kills_.insert(id);
  }
  for (auto& [id, daemon] : daemons_) {
    if (!daemon.drain) continue;
    if (!daemon.draining && daemon.drain->begin <= event.now) drain(id, daemon);
    if (!daemon.deadline_came && daemon.drain->deadline <= event.now) {
      daemon.deadline_came = true;
      if (daemon.run) hand_backs_.insert(id);
    }
  }
}

// What waits for daemons that cannot come does so for so long.
void World::foresee_patience(const Event& event) {
  std::map<std::uint64_t, TaskKey> waiting = source_of(0);
  if (!give_up_at_ || *give_up_at_ > event.now || waiting.empty()) return;
  for (const auto& [sequence, key] : waiting) give_up(event.now, key, Code::reset);
  told_alone_ = false;
}

// That nobody has come yet, where nothing is known of any, is told after a while.
void World::foresee_silence(const Event& event) {
  if (!is_silent() || !tell_waiting_at_ || *tell_waiting_at_ > event.now) return;
  told_alone_ = true;
  ++tells_;
}

void World::drain(DaemonId id, Daemon& daemon) {
  daemon.draining = true;
  stop(id, daemon);
  if (!daemon.run && !daemon.dismissed) dismisses_.insert(id);
}

void World::requeue(TaskKey key) {
  tasks_[key].running = false;
  tasks_[key].daemon = 0;
}

void World::give_up(Time now, TaskKey key, Code code) {
  resolves_[key] = code;
  withdraw(now, tasks_[key]);
  tasks_.erase(key);
}

void World::withdraw(Time now, const Unresolved& task) {
  if (!task.running) return;
  Run& run = *daemons_[task.daemon].run;
  run.discarded = true;
  if (rules_.kill_after) run.kill_at = now + *rules_.kill_after;
  interrupts_.emplace(task.daemon, run.key, run.attempt);
}

// It takes nothing any more; what only waits there is for others.
void World::stop(DaemonId id, Daemon& daemon) {
  daemon.leaving = true;
  free_those_at(id);
}

void World::free_those_at(DaemonId id) {
  for (auto& [key, task] : tasks_) {
    if (task.daemon == id && !task.running) task.daemon = 0;
  }
}

void World::forget(DaemonId id) {
  Slot& slot = slots_[daemons_[id].slot];
  slot.online = slot.suspect = slot.busy = false;
  daemons_.erase(id);
}

// Policy::direct: binds what is not bound to the daemons in turn.
void World::deal() {
  if (rules_.policy != Policy::direct) return;
  std::map<std::size_t, DaemonId> by_slot;
  for (DaemonId id : takers()) by_slot[daemons_[id].slot] = id;
  if (by_slot.empty()) return;
  for (const auto& [sequence, key] : source_of(0)) {
    auto next = by_slot.upper_bound(last_dealt_);
    if (next == by_slot.end()) next = by_slot.begin();
    last_dealt_ = next->first;
    tasks_[key].daemon = next->second;
  }
}

World::Daemon* World::find(DaemonId daemon) {
  auto found = daemons_.find(daemon);
  return found == daemons_.end() ? nullptr : &found->second;
}

World::Unresolved* World::find(TaskKey key) {
  auto found = tasks_.find(key);
  return found == tasks_.end() ? nullptr : &found->second;
}

std::set<DaemonId> World::takers() const {
  std::set<DaemonId> takers;
  for (const auto& [id, daemon] : daemons_) {
    if (daemon.takes()) takers.insert(id);
  }
  return takers;
}

// The tasks that wait at a daemon, or (0) in the queue of all, oldest first.
std::map<std::uint64_t, TaskKey> World::source_of(DaemonId daemon) const {
  std::map<std::uint64_t, TaskKey> source;
  for (const auto& [key, task] : tasks_) {
    if (!task.running && task.daemon == daemon) source[task.sequence] = key;
  }
  return source;
}

std::optional<Time> World::next_drain_time() const {
  std::optional<Time> next;
  for (const auto& [id, daemon] : daemons_) {
    if (!daemon.drain || daemon.deadline_came) continue;
    Time due = daemon.draining ? daemon.drain->deadline : daemon.drain->begin;
    if (!next || due < *next) next = due;
  }
  return next;
}

bool World::fits(const Daemon& daemon, const Unresolved& task) const {
  auto request = rounded_request(task.submit.time_request.value_or(std::chrono::milliseconds(0)));
  bool in_time = !daemon.drain || now_ + request <= daemon.drain->deadline;
  return in_time && covers(daemon.size, task.need);
}

// What waits at a daemon or, with a queue, for one like it.
std::map<std::uint64_t, TaskKey> World::tasks_for(DaemonId daemon) const {
  std::map<std::uint64_t, TaskKey> tasks = source_of(rules_.policy == Policy::direct ? daemon : 0);
  std::erase_if(tasks, [&](const auto& each) { return !fits(daemons_.at(daemon), tasks_.at(each.second)); });
  return tasks;
}

// Each block of memory once, whoever uses it.
std::uint64_t World::task_memory(const Payload& one_more) const {
  std::set<const Bytes*> held;
  auto hold = [&held](const Payload& payload) {
    if (payload) held.insert(&payload->without_blocks());
    for (const auto& file : shared_files(payload)) held.insert(file.get());
  };
  hold(one_more);
  for (const auto& [key, task] : tasks_) hold(task.submit.payload);
  std::uint64_t bytes = 0;
  for (const Bytes* each : held) bytes += each->size();
  return bytes;
}

std::uint64_t World::everywhere_memory() const {
  std::uint64_t bytes = 0;
  for (const auto& [sequence, everywhere] : everywheres_) bytes += size_with_files(everywhere.payload);
  return bytes;
}

bool World::exceeds_memory(std::uint64_t more) const {
  return task_memory() > 0 && more > 0 && memory() + more > rules_.memory_limit;
}

}  // namespace tenkai::tests
