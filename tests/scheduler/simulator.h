// Drives a dispatcher through a random life and watches it.
//
// Sessions come and go, submit and cancel; daemons join, answer, answer again, fall
// silent, come back with or without their task, and die of everything; their jobs end,
// and are of different sizes. After each
// event the dispatcher is compared with a World. At the end the storm is over: all
// daemons stay healthy and answer, and every task must then have resolved exactly
// once and no byte be held. The same seed always makes the same life.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "scheduler/dispatcher.h"
#include "tests/scheduler/world.h"

namespace tenkai::tests {

struct Scenario {
  Policy policy = Policy::queue;
  std::uint64_t seed = 0;
  int events = 400;
};

class Simulation {
 public:
  explicit Simulation(const Scenario& scenario);

  const Rules& rules() const { return world_.rules(); }
  std::size_t slots() const { return slots_; }

  // What happens next; nothing when the life is over. Each event must be carried
  // out and observed before the next is asked for.
  std::optional<Event> next();
  void observe(const Sends& sends, const Account& account);

  // What went wrong, with the way there; empty while nothing has.
  const std::string& complaint() const { return complaint_; }

 private:
  enum class Phase { storm, calm, farewell, over };

  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Event event(Event::Kind kind);
  std::optional<Event> drain_timer();
  std::optional<Event> storm();
  std::optional<Event> calm();
  std::optional<Event> farewell();

  Event submit();
  Event everywhere();
  Event stop();
  Event cancel();
  Event join();
  Event unavailable();
  Event prospects();
  std::optional<Event> make_room();
  Event leave();
  Event finish();
  Event finish_again();
  Event resume();
  Event of_some_daemon(Event::Kind kind);
  Event answer(DaemonId daemon, const World::Daemon& there);
  DaemonId some_daemon();
  SessionId some_session();
  Payload payload();
  Payload with_shared_blocks(Payload own);
  void complain(const std::string& what);
  void check_end();

  Scenario scenario_;
  std::mt19937_64 random_;
  std::size_t slots_;
  World world_;
  Time now_;
  Phase phase_ = Phase::storm;
  int steps_ = 0;
  SessionId next_session_ = 1;
  DaemonId next_daemon_ = 100;
  std::uint64_t next_task_ = 1;
  std::uint64_t next_payload_ = 1;
  std::array<Payload, 3> files_;    // of which several payloads have blocks
  std::map<TaskKey, int> answers_;  // to what sessions submitted
  std::optional<Event> event_;
  std::deque<std::pair<Event, Sends>> log_;
  std::string complaint_;
};

// Carries an event out. `Subject` has the members of Dispatcher; it is a type and not
// a reference to one, so that a broken one can hide members of the good one.
template <class Subject>
Sends apply(Subject& subject, const Event& event) {
  using Kind = Event::Kind;
  switch (event.kind) {
    case Kind::session_joined: return subject.on_session_joined(event.now, event.session);
    case Kind::session_left: return subject.on_session_left(event.now, event.session);
    case Kind::submit: return subject.on_submit(event.now, event.session, event.submit);
    case Kind::everywhere: return subject.on_everywhere(event.now, event.session, event.payload);
    case Kind::cancel: return subject.on_cancel(event.now, event.key.session, event.key.task);
    case Kind::joined:
      return subject.on_daemon_joined(event.now, event.daemon, event.slot, event.left, event.size);
    case Kind::resumed: return subject.on_daemon_resumed(event.now, event.daemon, event.held);
    case Kind::suspect: return subject.on_daemon_suspect(event.now, event.daemon);
    case Kind::heard: return subject.on_daemon_heard(event.now, event.daemon);
    case Kind::stopped: return subject.on_daemon_stopped(event.now, event.daemon, event.heard);
    case Kind::leaving: return subject.on_daemon_leaving(event.now, event.daemon);
    case Kind::drain: return subject.on_drain(event.now, {event.daemon});
    case Kind::left: return subject.on_daemon_left(event.now, event.daemon, event.cause);
    case Kind::finished:
      return subject.on_finished(event.now, event.daemon, event.key, event.attempt, event.payload,
                                 event.failed, event.last);
    case Kind::launch_failed: return subject.on_launch_failed(event.now, event.cause);
    case Kind::size_unavailable:
      return subject.on_size_unavailable(event.now, event.size, "none is to be had");
    case Kind::prospects: return subject.on_prospects(event.now, event.prospects);
    case Kind::regenerate: return subject.regenerate(event.now, event.slot);
    case Kind::timer: return subject.on_timer(event.now);
  }
  return {};
}

template <class Subject>
Account account_of(const Subject& subject) {
  return {subject.slots(),  subject.online(),     subject.queued(),    subject.unresolved(),
          subject.memory(), subject.violations(), subject.next_timer()};
}

// Empty when the dispatcher lived this life without a fault, else what it did wrong.
template <class Subject = Dispatcher>
std::string simulate(const Scenario& scenario) {
  Simulation simulation(scenario);
  Subject subject(simulation.rules(), simulation.slots());
  while (std::optional<Event> event = simulation.next()) {
    Sends sends = apply(subject, *event);
    simulation.observe(sends, account_of(subject));
  }
  return simulation.complaint();
}

}  // namespace tenkai::tests
