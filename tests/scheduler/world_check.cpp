// Whether what a dispatcher asked for is what had to follow.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tests/scheduler/describe.h"
#include "tests/scheduler/world.h"

namespace tenkai::tests {
namespace {

std::string text(std::uint64_t number) { return std::to_string(number); }
std::string text(const TaskKey& key) { return text(key.session) + "/" + text(key.task); }

}  // namespace

std::string World::check(const Event& event, const Sends& sends, const Account& account) {
  complaint_.clear();
  if (ignored_ && !sends.empty()) return "an answer that nobody waited for had an effect";
  for (const Send& send : sends) {
    std::visit([&](const auto& each) { take(event, each); }, send);
    if (!complaint_.empty()) return complaint_ + " (at: " + describe(send) + ")";
  }
  check_expectations();
  check_idleness();
  check_account(account);
  return complaint_;
}

void World::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void World::take(const Event& event, const Assign& send) {
  Daemon* daemon = find(send.daemon);
  if (daemon == nullptr) return complain("something was sent to a daemon that is not there");
  if (daemon->run) return complain("a busy daemon was sent something else");
  if (!daemon->takes()) return complain("a daemon that is suspect or leaving was sent something");
  if (answered_ == send.daemon) answered_.reset();
  slots_[daemon->slot].busy = true;
  history_.emplace_back(send.daemon, Dispatcher::Held{send.key, send.attempt});
  if (send.is_everywhere()) return take_everywhere(send, *daemon);

  Unresolved* task = find(send.key);
  if (task == nullptr) return complain("a task was sent that is resolved or was never submitted");
  if (task->running) return complain("a task that runs was sent to a second daemon");
  if (!fits(*daemon, *task)) return complain("a daemon is too small for its task, or has no time for it");
  std::map<std::uint64_t, TaskKey> source = tasks_for(send.daemon);
  if (source.empty() || source.begin()->second != send.key)
    return complain("a task was sent before an older one");
  for (const auto& [sequence, everywhere] : everywheres_) {
    bool due = sequence < daemon->joined_at || sequence < task->sequence;
    if (due && daemon->everywheres.count(sequence) == 0) complain("a task was sent before an everywhere()");
  }
  if (event.kind == Event::Kind::submit && rules_.policy == Policy::queue) {
    for (const auto& [id, other] : daemons_) {
      if (other.takes() && !other.run && other.slot < daemon->slot && fits(other, *task))
        complain("a free daemon on a lower slot was passed");
    }
  }
  if (send.attempt != task->attempts + 1) complain("the number of the attempt is not the next one");
  if (send.payload != task->submit.payload || send.label != task->submit.label)
    complain("the task was changed");
  task->running = true;
  task->daemon = send.daemon;
  task->attempts = send.attempt;
  ++slots_[daemon->slot].assigned;
  Run run;
  run.key = send.key;
  run.attempt = send.attempt;
  run.sent_at = now_;
  daemon->run = run;
}

void World::take(const Event&, const Share&) { complain("no map was submitted"); }

void World::take_everywhere(const Assign& send, Daemon& daemon) {
  auto next = std::find_if(everywheres_.begin(), everywheres_.end(),
                           [&](const auto& item) { return daemon.everywheres.count(item.first) == 0; });
  if (next == everywheres_.end()) return complain("an everywhere() was sent twice");
  auto [sequence, everywhere] = *next;
  if (send.payload != everywhere.payload || send.key.session != everywhere.session) {
    return complain("an everywhere() was sent out of order");
  }
  if ((send.key.task & everywhere_bit) == 0) complain("an everywhere() has the number of a task");
  std::map<std::uint64_t, TaskKey> source = tasks_for(send.daemon);
  if (sequence >= daemon.joined_at && !source.empty() && source.begin()->first < sequence) {
    complain("an everywhere() overtook an older task");
  }
  daemon.everywheres.insert(sequence);
  Run run;
  run.key = send.key;
  run.attempt = send.attempt;
  run.everywhere = sequence;
  daemon.run = run;
}

void World::take(const Event& event, const Resolve& send) {
  auto expected = resolves_.find(send.key);
  if (expected == resolves_.end()) return complain("a task was resolved twice or without a reason");
  if (expected->second != send.code) complain("a task was resolved with the wrong code");
  bool answer = send.code == Code::none;
  if (answer && (send.payload != event.payload || send.failed != event.failed))
    complain("the answer was changed");
  if (!answer && (send.reason.empty() || send.payload))
    complain("a code came without a reason, or with a payload");
  resolves_.erase(expected);
}

void World::take(const Event&, const Interrupt& send) {
  if (interrupts_.erase({send.daemon, send.key, send.attempt}) == 0)
    complain("nothing was to be interrupted");
}

void World::take(const Event&, const Kill& send) {
  if (kills_.erase(send.daemon) == 0) complain("a daemon was ended without a reason");
}

void World::take(const Event&, const HandBack& send) {
  if (hand_backs_.erase(send.daemon) == 0) complain("no task was to be handed back");
}

void World::take(const Event&, const Acknowledge& send) {
  if (answered_ != send.daemon)
    return complain("an acknowledgement where there was no answer, or work followed");
  answered_.reset();
}

void World::take(const Event&, const Dismiss& send) {
  bool expected = dismisses_.erase(send.daemon) > 0;
  Daemon* daemon = find(send.daemon);
  if (daemon == nullptr) {
    if (!expected) complain("an unknown daemon was dismissed");
    return;
  }
  if ((rules_.policy != Policy::ephemeral && !expected) || daemon->run || daemon->dismissed) {
    complain("a daemon was dismissed without a reason");
  }
  if (!expected && !source_of(0).empty()) complain("a daemon was dismissed although a task waits");
  daemon->dismissed = daemon->leaving = true;
}

void World::take(const Event&, const StartLocal&) {
  ++starting_;
  if (rules_.policy != Policy::ephemeral) complain("only ephemeral processes are launched");
  if (starting_ + daemons_.size() > rules_.max_ephemeral)
    complain("more processes were launched than allowed");
  if (starting_ > source_of(0).size()) complain("a process was launched for no task");
}

void World::take(const Event&, const Tell& send) {
  if (send.text.starts_with("no daemon is ")) {
    if (!misses_daemons()) complain("no daemon is missed, or that was told already");
    told_alone_ = true;
    return;
  }
  if (send.text.starts_with("a task asks for")) {
    if (std::exchange(told_too_long_, true)) complain("a request that is too long was told twice");
    if (!waits_too_long()) complain("no task asks for more time than there is");
    return;
  }
  if (tells_ == 0 || send.text.empty()) return complain("there was nothing to tell");
  --tells_;
}

// Whether there is a task that a daemon of the usual size could run.
bool World::waits_for_any() const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [](const auto& each) { return each.second.need == Size(); });
}

// Whether somebody is to be told that none is here, and none was told to be coming.
bool World::misses_daemons() const {
  bool expected = has_left_ || !prospects_.why.empty();
  return daemons_.empty() && prospects_.kind != Prospects::Kind::coming && expected && !told_alone_ &&
         waits_for_any();
}

bool World::is_silent() const {
  bool expected = has_left_ || !prospects_.why.empty();
  return rules_.policy != Policy::ephemeral && daemons_.empty() &&
         prospects_.kind != Prospects::Kind::coming && !expected && !told_alone_ && waits_for_any();
}

// Whether there is one that asks for more time than any daemon came with, or has left.
bool World::waits_too_long() const {
  return rules_.policy == Policy::queue && most_room_ &&
         std::any_of(tasks_.begin(), tasks_.end(), [this](const auto& each) {
           const Unresolved& task = each.second;
           auto request = rounded_request(task.submit.time_request.value_or(std::chrono::milliseconds(0)));
           bool waits = !task.running && task.need == Size() && request > *most_room_;
           return waits && std::none_of(daemons_.begin(), daemons_.end(), [&](const auto& daemon) {
                    return !daemon.second.leaving && fits(daemon.second, task);
                  });
         });
}

// A task may be too much while it is the only one, beside what everywhere() has kept before.
bool World::is_one_too_large() const {
  std::optional<std::uint64_t> sequence;
  for (const auto& [key, task] : tasks_) {
    if (size_of(task.submit.payload) == 0) continue;
    if (sequence) return false;
    sequence = task.sequence;
  }
  return sequence && std::all_of(everywheres_.begin(), everywheres_.end(), [&](const auto& each) {
           return size_of(each.second.payload) == 0 || each.first < *sequence;
         });
}

void World::check_expectations() {
  if (!resolves_.empty()) complain("task " + text(resolves_.begin()->first) + " should have been resolved");
  if (!interrupts_.empty()) {
    complain("daemon " + text(std::get<0>(*interrupts_.begin())) + " should have been interrupted");
  }
  if (!kills_.empty()) complain("daemon " + text(*kills_.begin()) + " should have been ended");
  if (!hand_backs_.empty())
    complain("daemon " + text(*hand_backs_.begin()) + " should have handed back its task");
  if (!dismisses_.empty()) complain("daemon " + text(*dismisses_.begin()) + " should have been dismissed");
  if (answered_) complain("daemon " + text(*answered_) + " got neither an acknowledgement nor more work");
  if (tells_ > 0) complain("the session should have been told something");
  if (std::exchange(has_joined_, false) && !told_too_long_ && waits_too_long())
    complain("a request that is too long should have been told");
  if (misses_daemons()) complain("the session should have been told that no daemon is left");
}

// Nobody who could do something waits.
void World::check_idleness() {
  for (const auto& [id, daemon] : daemons_) {
    if (!daemon.takes() || daemon.run) continue;
    if (!tasks_for(id).empty()) complain("daemon " + text(id) + " idles while a task waits for it");
    for (const auto& [sequence, everywhere] : everywheres_) {
      if (daemon.everywheres.count(sequence) == 0)
        complain("daemon " + text(id) + " idles before an everywhere()");
    }
    if (rules_.policy == Policy::ephemeral) complain("daemon " + text(id) + " has no use any more and stays");
  }
  if (rules_.policy != Policy::ephemeral) return;
  bool room = starting_ + daemons_.size() < rules_.max_ephemeral;
  if (room && starting_ < source_of(0).size()) complain("a task waits and no process is launched for it");
}

void World::check_account(const Account& account) {
  if (account.slots.size() != slots_.size()) return complain("the number of slots is wrong");
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& is = account.slots[i];
    const Slot& should = slots_[i];
    auto compare = [&](const char* what, auto one, auto other) {
      if (one == other) return;
      complain("slot " + text(i) + ": " + what + " is " + std::to_string(one) + ", not " +
               std::to_string(other));
    };
    compare("instance", is.instance, should.instance);
    compare("assigned", is.assigned, should.assigned);
    compare("complete", is.complete, should.complete);
    compare("online", is.online, should.online);
    compare("suspect", is.suspect, should.suspect);
    compare("busy", is.busy, should.busy);
  }
  auto running =
      std::count_if(tasks_.begin(), tasks_.end(), [](const auto& item) { return item.second.running; });
  if (account.online != daemons_.size()) complain("the number of daemons online is wrong");
  if (account.unresolved != tasks_.size()) complain("the number of unresolved tasks is wrong");
  if (account.queued + static_cast<std::size_t>(running) != tasks_.size())
    complain("the number queued is wrong");
  if (account.violations != violations_) complain("the number of violations is wrong");
  if (account.memory != memory()) {
    complain("memory is " + text(account.memory) + " bytes, not " + text(memory()));
  }
  if (everywhere_memory() > rules_.memory_limit ||
      (account.memory > rules_.memory_limit && !is_one_too_large()))
    complain("memory is beyond its limit");
  std::optional<Time> timer;
  auto earlier = [&](std::optional<Time> time) {
    if (time && (!timer || *time < *timer)) timer = time;
  };
  earlier(give_up_at_);
  earlier(tell_waiting_at_);
  for (const auto& [key, task] : tasks_) earlier(task.deadline);
  for (const auto& [id, daemon] : daemons_) {
    if (daemon.run) earlier(daemon.run->kill_at);
    if (daemon.drain && !daemon.draining) earlier(daemon.drain->begin);
    if (daemon.drain && !daemon.deadline_came) earlier(daemon.drain->deadline);
  }
  if (account.next_timer != timer) complain("the timer is wrong");
}

std::string describe(const Event& event) {
  using Kind = Event::Kind;
  std::string daemon = text(event.daemon).insert(0, 1, ' ');
  std::string size = text(event.size.mem) + "," + text(event.size.time);
  std::string attempt = text(event.key) + "#" + text(event.attempt);
  switch (event.kind) {
    case Kind::session_joined: return "session " + text(event.session) + " joins";
    case Kind::session_left: return "session " + text(event.session) + " leaves";
    case Kind::submit: return "submit " + text(event.session) + "/" + text(event.submit.task);
    case Kind::everywhere: return "everywhere of " + text(event.session);
    case Kind::cancel: return "cancel " + text(event.key);
    case Kind::joined: {
      std::string left = event.left ? " for " + std::to_string(event.left->count()) + " ms" : "";
      return "daemon" + daemon + " of size " + size + " joins slot " + text(event.slot) + left;
    }
    case Kind::resumed:
      if (!event.held) return "daemon" + daemon + " resumes with nothing";
      return "daemon" + daemon + " resumes with " + text(event.held->key) + "#" + text(event.held->attempt);
    case Kind::suspect: return "daemon" + daemon + " is suspect";
    case Kind::heard: return "daemon" + daemon + " is heard";
    case Kind::stopped: return "daemon" + daemon + " is stopped";
    case Kind::leaving: return "daemon" + daemon + " is leaving";
    case Kind::drain: return "daemon" + daemon + " hears that it drains";
    case Kind::left: return "daemon" + daemon + " left: " + std::string(name_of(event.cause.kind));
    case Kind::finished: return "daemon" + daemon + " finished " + attempt + (event.last ? ", its last" : "");
    case Kind::launch_failed: return "a launch fails";
    case Kind::size_unavailable: return "nothing of size " + size + " is to be had";
    case Kind::prospects:
      return "prospects are " + text(static_cast<std::uint64_t>(event.prospects.kind)) + " " +
             event.prospects.why;
    case Kind::regenerate: return "slot " + text(event.slot) + " is regenerated";
    case Kind::timer:
      return "timer at " + text(static_cast<std::uint64_t>(event.now.time_since_epoch().count()));
  }
  return "?";
}

}  // namespace tenkai::tests
