#include "tests/scheduler/simulator.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "scheduler/setup.h"
#include "tests/scheduler/describe.h"

namespace tenkai::tests {
namespace {

using Kind = Event::Kind;
using namespace std::chrono_literals;

// Half of the lives have one rule or another that matters at the edges.
Rules rules_of(const Scenario& scenario) {
  std::mt19937_64 random(scenario.seed * 2 + 1);
  auto below = [&](std::uint64_t limit) { return random() % limit; };
  Rules rules;
  rules.policy = scenario.policy;
  rules.retries.outside = static_cast<int>(below(4));
  if (below(2) == 0) rules.retries.by_kind[Cause::Kind::oom] = 1;
  if (below(4) == 0) rules.retries.by_kind[Cause::Kind::lost] = 0;
  if (below(2) == 0) rules.memory_limit = 200 + below(2000);
  if (below(2) == 0) rules.kill_after = 100ms;
  if (below(2) == 0) rules.patience = 300ms;
  rules.max_ephemeral = 1 + below(6);
  if (below(2) == 0) {
    rules.retries.factors = {200, 200};
    rules.retries.by_kind[Cause::Kind::oom] = 1 + static_cast<int>(below(12));
  }
  return rules;
}

template <class Container>
auto pick(const Container& container, std::uint64_t number) {
  return std::next(container.begin(), static_cast<std::ptrdiff_t>(number));
}

}  // namespace

Simulation::Simulation(const Scenario& scenario)
    : scenario_(scenario),
      random_(scenario.seed),
      slots_(1 + random_() % 6),
      world_(rules_of(scenario), slots_) {}

std::optional<Event> Simulation::next() {
  if (!complaint_.empty()) return std::nullopt;
  ++steps_;
  if (phase_ == Phase::storm && steps_ > scenario_.events) phase_ = Phase::calm;
  event_ = drain_timer();
  if (event_) {
    world_.foresee(*event_);
    return event_;
  }
  if (phase_ == Phase::storm) event_ = storm();
  if (phase_ == Phase::calm) event_ = calm();
  if (phase_ == Phase::farewell) event_ = farewell();
  if (event_) world_.foresee(*event_);
  return event_;
}

void Simulation::observe(const Sends& sends, const Account& account) {
  log_.emplace_back(*event_, sends);
  if (log_.size() > 25) log_.pop_front();
  if (event_->kind == Kind::submit && world_.sessions().count(event_->session) > 0) {
    answers_.try_emplace({event_->session, event_->submit.task}, 0);
  }
  for (const Send& send : sends) {
    const Resolve* resolve = std::get_if<Resolve>(&send);
    if (resolve != nullptr && ++answers_[resolve->key] > 1) complain("a task was resolved twice");
  }
  std::string wrong = world_.check(*event_, sends, account);
  if (!wrong.empty()) complain(wrong);
}

void Simulation::complain(const std::string& what) {
  if (!complaint_.empty()) return;
  complaint_ = what + "\n  policy " + std::string(name_of(scenario_.policy)) + ", seed " +
               std::to_string(scenario_.seed) + ", event " + std::to_string(steps_) + "; the way there:\n";
  for (const auto& [event, sends] : log_) {
    complaint_ += "  " + describe(event) + "\n";
    for (const Send& send : sends) complaint_ += "      " + describe(send) + "\n";
  }
}

Event Simulation::event(Kind kind) {
  now_ += std::chrono::milliseconds(below(10));
  Event event;
  event.kind = kind;
  event.now = now_;
  return event;
}

// Where tasks wait at daemons, a timer that is late moves them at moments of its own: there
// it is not. With a queue it may be as late as it likes.
std::optional<Event> Simulation::drain_timer() {
  std::optional<Time> due = world_.next_drain_time();
  if (scenario_.policy != Policy::direct || !due || *due > now_ + 10ms) return std::nullopt;
  Event timer;
  timer.now = now_ = std::max(now_, *due);
  return timer;
}

// --- the storm: anything, at any time ---

std::optional<Event> Simulation::storm() {
  if (world_.sessions().empty() || (world_.sessions().size() < 3 && chance(2))) {
    Event joins = event(Kind::session_joined);
    joins.session = next_session_++;
    return joins;
  }
  std::uint64_t dice = below(100);
  auto falls = [&dice](std::uint64_t weight) {
    bool here = dice < weight;
    dice -= weight;  // wraps once it has fallen, and is not asked again
    return here;
  };
  if (falls(26)) return submit();
  if (falls(29)) return finish();
  if (falls(5)) return cancel();
  if (falls(3)) return everywhere();
  if (falls(12)) return join();
  if (falls(5)) return leave();
  if (falls(4)) return of_some_daemon(Kind::heard);
  if (falls(3)) return of_some_daemon(Kind::suspect);
  if (falls(2)) return stop();
  if (falls(3)) return resume();
  if (falls(3)) return finish_again();
  if (falls(1)) return of_some_daemon(chance(50) ? Kind::leaving : Kind::drain);
  if (falls(1)) return unavailable();
  if (falls(1) && scenario_.policy != Policy::ephemeral) return prospects();
  if (falls(1)) {
    Event regenerated = event(Kind::regenerate);
    regenerated.slot = below(world_.slots().size() + 1);
    return regenerated;
  }
  if (falls(1) && chance(50)) {
    Event leaves = event(Kind::session_left);
    leaves.session = some_session();
    return leaves;
  }
  if (scenario_.policy == Policy::ephemeral && chance(30)) {
    Event fails = event(Kind::launch_failed);
    fails.cause = {Cause::Kind::quit, "could not be started: no such file"};
    return fails;
  }
  Time later = now_ + std::chrono::milliseconds(below(400));
  if (scenario_.policy == Policy::direct)
    later = std::min(later, world_.next_drain_time().value_or(later) - 10ms);
  now_ = std::max(now_, later);
  return event(Kind::timer);
}

Payload Simulation::payload() {
  std::string text = std::to_string(next_payload_++);
  Payload own = make_payload(text + std::string(below(chance(3) ? 3000 : 60), '.'));
  return chance(15) ? with_shared_blocks(std::move(own)) : own;
}

// In files of others, each of which is forgotten now and then, whoever uses it still.
Payload Simulation::with_shared_blocks(Payload own) {
  std::vector<SharedBlock> blocks;
  for (std::uint64_t i = below(3) + 1; i > 0; --i) {
    Payload& file = files_[below(files_.size())];
    if (!file || chance(10)) file = make_payload(std::string(below(300) + 1, 'f'));
    blocks.push_back({file, 0, size_of(file)});
  }
  return std::make_shared<const Bytes>(Bytes::with_blocks(std::move(own), std::move(blocks)));
}

SessionId Simulation::some_session() { return *pick(world_.sessions(), below(world_.sessions().size())); }

DaemonId Simulation::some_daemon() {
  if (world_.daemons().empty() || chance(2)) return 1 + below(next_daemon_ + 2);
  return pick(world_.daemons(), below(world_.daemons().size()))->first;
}

Event Simulation::submit() {
  Event submits = event(Kind::submit);
  submits.session = chance(1) ? 999 : some_session();
  submits.submit.task = next_task_++;
  if (!world_.tasks().empty() && chance(2)) {
    const TaskKey& used = pick(world_.tasks(), below(world_.tasks().size()))->first;
    submits.session = used.session;
    submits.submit.task = used.task;
  }
  if (!chance(5)) submits.submit.payload = payload();
  if (chance(20)) submits.submit.timeout = std::chrono::milliseconds(below(600));
  if (chance(10)) submits.submit.label = "label";
  if (has_slots(scenario_.policy) && chance(15))
    submits.submit.time_request = std::chrono::milliseconds(below(1500));
  return submits;
}

// Mostly one of which nothing is heard.
Event Simulation::stop() {
  Event stops = of_some_daemon(Kind::stopped);
  for (const auto& [id, daemon] : world_.daemons()) {
    if (daemon.suspect && !chance(20)) stops.daemon = id;
  }
  stops.heard = stops.now - std::chrono::milliseconds(below(100));
  return stops;
}

Event Simulation::everywhere() {
  Event runs = event(Kind::everywhere);
  runs.session = some_session();
  runs.payload = payload();
  return runs;
}

Event Simulation::cancel() {
  Event cancels = event(Kind::cancel);
  cancels.key = {some_session(), below(next_task_)};
  if (!world_.tasks().empty() && !chance(10))
    cancels.key = pick(world_.tasks(), below(world_.tasks().size()))->first;
  return cancels;
}

Event Simulation::join() {
  if (scenario_.policy == Policy::ephemeral && world_.starting() == 0 && !chance(3)) return finish();
  Event joins = event(Kind::joined);
  joins.daemon = chance(2) ? some_daemon() : next_daemon_++;
  joins.slot = below(slots_ + (chance(5) ? 2 : 0));
  const std::vector<Slot>& slots = world_.slots();
  auto offline = std::find_if(slots.begin(), slots.end(), [](const Slot& slot) { return !slot.online; });
  if (offline != slots.end() && chance(70)) joins.slot = static_cast<std::size_t>(offline - slots.begin());
  auto step = [this] { return static_cast<std::uint8_t>(below(chance(5) ? max_steps + 1 : 3)); };
  if (chance(40)) joins.size = {step(), step()};
  if (scenario_.policy != Policy::ephemeral && chance(15))
    joins.left = std::chrono::milliseconds(chance(10) ? 0 : below(2000));
  return joins;
}

Event Simulation::unavailable() {
  Event event = this->event(Kind::size_unavailable);
  for (const auto& [key, task] : world_.tasks()) {
    if (!task.running && task.need != Size()) event.size = task.need;
  }
  if (chance(20)) event.size = {static_cast<std::uint8_t>(below(3)), static_cast<std::uint8_t>(below(3))};
  return event;
}

Event Simulation::prospects() {
  Event event = this->event(Kind::prospects);
  constexpr Prospects::Kind kinds[] = {Prospects::Kind::coming, Prospects::Kind::open, Prospects::Kind::none};
  event.prospects.kind = kinds[below(std::size(kinds))];
  if (event.prospects.kind == Prospects::Kind::none) event.prospects.why = "launch 1 has failed";
  return event;
}

Event Simulation::leave() {
  Event leaves = of_some_daemon(Kind::left);
  constexpr Cause::Kind kinds[] = {Cause::Kind::killed,     Cause::Kind::lost,     Cause::Kind::preempted,
                                   Cause::Kind::oom,        Cause::Kind::segfault, Cause::Kind::quit,
                                   Cause::Kind::time_limit, Cause::Kind::goodbye};
  leaves.cause = {kinds[below(std::size(kinds))], "went away"};
  return leaves;
}

Event Simulation::of_some_daemon(Kind kind) {
  Event happens = event(kind);
  happens.daemon = some_daemon();
  return happens;
}

Event Simulation::answer(DaemonId daemon, const World::Daemon& there) {
  Event finishes = event(Kind::finished);
  finishes.daemon = daemon;
  finishes.key = there.run->key;
  finishes.attempt = there.run->attempt;
  finishes.payload = payload();
  finishes.failed = chance(10);
  return finishes;
}

Event Simulation::finish() {
  std::vector<DaemonId> busy;
  for (const auto& [id, daemon] : world_.daemons()) {
    if (daemon.run) busy.push_back(id);
  }
  if (busy.empty()) return submit();
  DaemonId id = busy[below(busy.size())];
  Event finishes = answer(id, world_.daemons().at(id));
  finishes.last = chance(3);
  return finishes;
}

// An answer that was given before, or that belongs to another attempt or daemon.
Event Simulation::finish_again() {
  Event finishes = event(Kind::finished);
  if (world_.history().empty()) return finishes;
  const auto& [daemon, held] = *pick(world_.history(), below(world_.history().size()));
  finishes.daemon = chance(70) ? daemon : some_daemon();
  finishes.key = held.key;
  finishes.attempt = chance(80) ? held.attempt : held.attempt + 1;
  finishes.payload = payload();
  finishes.last = chance(10);
  return finishes;
}

Event Simulation::resume() {
  Event resumes = of_some_daemon(Kind::resumed);
  auto there = world_.daemons().find(resumes.daemon);
  bool busy = there != world_.daemons().end() && there->second.run;
  if (busy && chance(60)) {
    resumes.held = Dispatcher::Held{there->second.run->key, there->second.run->attempt};
  } else if (!world_.history().empty() && chance(40)) {
    resumes.held = pick(world_.history(), below(world_.history().size()))->second;
  }
  return resumes;
}

// --- the calm: daemons are there, stay there and answer ---

std::optional<Event> Simulation::calm() {
  if (steps_ > scenario_.events + 10000) {
    complain("tasks stay unresolved although all daemons are healthy");
    return std::nullopt;
  }
  Event happens = event(Kind::timer);
  bool anyone = false;
  for (const auto& [id, daemon] : world_.daemons()) {
    happens.daemon = id;
    if (daemon.suspect) {
      happens.kind = Kind::heard;
      return happens;
    }
    if (daemon.run) return answer(id, daemon);
    if (daemon.leaving) {
      happens.kind = Kind::left;
      happens.cause.kind = Cause::Kind::goodbye;
      return happens;
    }
    anyone = true;
  }
  bool wanted = scenario_.policy == Policy::ephemeral ? world_.starting() > 0 : !anyone;
  if (wanted) {
    happens.kind = Kind::joined;
    happens.daemon = next_daemon_++;
    return happens;
  }
  if (!world_.tasks().empty()) return make_room();
  check_end();
  phase_ = Phase::farewell;
  return std::nullopt;
}

// What still waits fits no daemon that is here: they are too small, or their jobs too short.
std::optional<Event> Simulation::make_room() {
  if (chance(30)) return unavailable();
  const std::vector<Slot>& slots = world_.slots();
  auto offline = std::find_if(slots.begin(), slots.end(), [](const Slot& slot) { return !slot.online; });
  if (offline == slots.end()) {
    Event leaves = event(Kind::left);
    leaves.daemon = pick(world_.daemons(), below(world_.daemons().size()))->first;
    leaves.cause.kind = Cause::Kind::goodbye;
    return leaves;
  }
  Event joins = event(Kind::joined);
  joins.daemon = next_daemon_++;
  joins.slot = static_cast<std::size_t>(offline - slots.begin());
  joins.size = {max_steps, max_steps};
  return joins;
}

void Simulation::check_end() {
  for (const auto& [key, count] : answers_) {
    if (count != 1 && world_.sessions().count(key.session) > 0)
      complain("a task of a session that stayed was lost");
  }
  if (!world_.tasks().empty()) complain("a task is left over");
}

std::optional<Event> Simulation::farewell() {
  if (!complaint_.empty()) return std::nullopt;
  if (world_.sessions().empty()) {
    if (world_.memory() != 0) complain("memory is held for nobody");
    phase_ = Phase::over;
    return std::nullopt;
  }
  Event leaves = event(Kind::session_left);
  leaves.session = *world_.sessions().begin();
  return leaves;
}

}  // namespace tenkai::tests
