#include "tests/scheduler/simulator.h"

#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::tests;

namespace {

// More than the usual lives: TENKAI_SIMULATOR_SEEDS=100000.
std::uint64_t seeds() {
  const char* asked = std::getenv("TENKAI_SIMULATOR_SEEDS");
  return asked == nullptr ? 300 : std::strtoull(asked, nullptr, 10);
}

void live(Policy policy) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    std::string complaint = simulate(Scenario{policy, seed});
    if (!complaint.empty()) FAIL(complaint);
  }
  SUCCEED("every life ended well");
}

// --- dispatchers that are broken, to see whether it would be noticed ---

void drop_if(Sends& sends, bool (*unwanted)(const Send&)) { std::erase_if(sends, unwanted); }

// Forgets a task on its way from a dead daemon to the next.
struct LosesRequeued : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_daemon_left(Time now, DaemonId daemon, const Cause& cause) {
    Sends sends = Dispatcher::on_daemon_left(now, daemon, cause);
    drop_if(sends, [](const Send& send) {
      const Assign* assign = std::get_if<Assign>(&send);
      return assign != nullptr && assign->attempt > 1;
    });
    return sends;
  }
};

// Drops the task of a daemon that dies, as if it had never been.
struct LosesRunning : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_submit(Time now, SessionId session, Submit submit) {
    submitted.insert({session, submit.task});
    return Dispatcher::on_submit(now, session, std::move(submit));
  }
  Sends on_daemon_left(Time now, DaemonId daemon, const Cause& cause) {
    for (TaskKey key : submitted) {
      Dispatcher copy = *this;
      for (const Send& send : copy.on_cancel(now, key.session, key.task)) {
        const Interrupt* interrupt = std::get_if<Interrupt>(&send);
        if (interrupt != nullptr && interrupt->daemon == daemon)
          Dispatcher::on_cancel(now, key.session, key.task);
      }
    }
    return Dispatcher::on_daemon_left(now, daemon, cause);
  }
  std::set<TaskKey> submitted;
};

struct AnswersTwice : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_finished(Time now, DaemonId daemon, TaskKey key, std::uint32_t attempt, Payload payload,
                    bool failed, bool last) {
    Sends sends = Dispatcher::on_finished(now, daemon, key, attempt, std::move(payload), failed, last);
    for (const Send& send : Sends(sends)) {
      if (std::holds_alternative<Resolve>(send)) sends.push_back(send);
    }
    return sends;
  }
};

// A task that comes back goes to the end of the queue.
struct RequeuesAtTheTail : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_submit(Time now, SessionId session, Submit submit) {
    submitted[{session, submit.task}] = submit;
    return Dispatcher::on_submit(now, session, std::move(submit));
  }
  Sends on_daemon_left(Time now, DaemonId daemon, const Cause& cause) {
    std::size_t queued_before = queued();
    Sends sends = Dispatcher::on_daemon_left(now, daemon, cause);
    if (!sends.empty() || queued_before == 0 || queued() != queued_before + 1) return sends;
    for (const auto& [key, submit] : submitted) {
      Dispatcher copy = *this;
      Sends cancelled = copy.on_cancel(now, key.session, key.task);
      if (cancelled.size() != 1) continue;  // unknown, or running
      Dispatcher::on_cancel(now, key.session, key.task);
      Dispatcher::on_submit(now, key.session, submit);
      return sends;  // the oldest of those in the queue is now the youngest
    }
    return sends;
  }
  std::map<TaskKey, Submit> submitted;
};

// Takes the answer to an everywhere() for that of a task.
struct Miscounts : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_finished(Time now, DaemonId daemon, TaskKey key, std::uint32_t attempt, Payload payload,
                    bool failed, bool last) {
    if ((key.task & everywhere_bit) != 0 && slot_of(daemon)) ++more[*slot_of(daemon)];
    return Dispatcher::on_finished(now, daemon, key, attempt, std::move(payload), failed, last);
  }
  std::vector<Slot> slots() const {
    std::vector<Slot> slots = Dispatcher::slots();
    for (const auto& [slot, count] : more) slots[slot].complete += count;
    return slots;
  }
  std::map<std::size_t, std::uint64_t> more;
};

// Does not notice that an answer is of an earlier attempt.
struct AcceptsStaleAnswers : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_finished(Time now, DaemonId daemon, TaskKey key, std::uint32_t attempt, Payload payload,
                    bool failed, bool last) {
    for (std::uint32_t other = 1; other < 6; ++other) {
      Dispatcher copy = *this;
      copy.on_finished(now, daemon, key, other, payload, failed, last);
      if (copy.violations() == violations()) attempt = other;
    }
    return Dispatcher::on_finished(now, daemon, key, attempt, payload, failed, last);
  }
};

// Leaves a daemon that joins late without what it should have run first.
struct ForgetsLateEverywhere : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_daemon_joined(Time now, DaemonId daemon, std::size_t slot,
                         std::optional<std::chrono::milliseconds> left, Size size) {
    Sends sends = Dispatcher::on_daemon_joined(now, daemon, slot, left, size);
    for (const Assign* assign = nullptr; !sends.empty(); sends = std::move(next)) {
      assign = std::get_if<Assign>(&sends.front());
      if (assign == nullptr || !assign->is_everywhere()) break;
      next = Dispatcher::on_finished(now, daemon, assign->key, assign->attempt, {}, false, false);
    }
    drop_if(sends, [](const Send& send) { return std::holds_alternative<Acknowledge>(send); });
    return sends;
  }
  Sends next;
};

struct IgnoresSuspicion : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_daemon_suspect(Time, DaemonId) { return {}; }
  std::vector<Slot> slots() const { return Dispatcher::slots(); }
};

struct WaitsForStoppedDaemons : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_daemon_stopped(Time, DaemonId, Time) { return {}; }
};

struct MissesDrains : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_drain(Time, const std::vector<DaemonId>&) { return {}; }
};

struct LeaksMemory : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_cancel(Time now, SessionId session, std::uint64_t task) {
    std::uint64_t before = Dispatcher::memory();
    Sends sends = Dispatcher::on_cancel(now, session, task);
    leaked += before - Dispatcher::memory();
    return sends;
  }
  std::uint64_t memory() const { return Dispatcher::memory() + leaked; }
  std::uint64_t leaked = 0;
};

// Takes every other daemon for a large one.
struct IgnoresSizes : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_daemon_joined(Time now, DaemonId daemon, std::size_t slot,
                         std::optional<std::chrono::milliseconds> left, Size size) {
    if (daemon % 2 == 0) size = {max_steps, max_steps};
    return Dispatcher::on_daemon_joined(now, daemon, slot, left, size);
  }
};

// Does not hear that there is nothing larger.
struct HopesForLarger : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_size_unavailable(Time, Size, const std::string&) { return {}; }
};

struct DrainsLate : Dispatcher {
  using Dispatcher::Dispatcher;
  Sends on_daemon_joined(Time now, DaemonId daemon, std::size_t slot,
                         std::optional<std::chrono::milliseconds> left, Size size) {
    if (left) left = *left + std::chrono::seconds(1);
    return Dispatcher::on_daemon_joined(now, daemon, slot, left, size);
  }
  std::optional<Time> next_timer() const { return {}; }
};

// What is looked for, when one of a few lives ends with that complaint; else one of
// the complaints there were.
template <class Broken>
std::string caught(const std::string& what, Policy policy = Policy::queue) {
  std::string complaint = "nothing";
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::string told = simulate<Broken>(Scenario{policy, seed});
    if (told.find(what) != std::string::npos) return what;
    if (!told.empty()) complaint = told;
  }
  return complaint;
}

}  // namespace

TEST_CASE("random lives with a queue keep every promise") { live(Policy::queue); }

TEST_CASE("random lives with a queue for any number of daemons keep every promise") { live(Policy::open); }

TEST_CASE("random lives with direct daemons keep every promise") { live(Policy::direct); }

TEST_CASE("random lives with one process a task keep every promise") { live(Policy::ephemeral); }

TEST_CASE("the simulator makes the same life from the same seed") {
  CHECK(simulate<AnswersTwice>(Scenario{Policy::queue, 7}) ==
        simulate<AnswersTwice>(Scenario{Policy::queue, 7}));
}

#define CHECK_CAUGHT(type, what) CHECK(caught<type>(what) == what)

TEST_CASE("the simulator notices a task that is lost") {
  CHECK_CAUGHT(LosesRequeued, "idles while a task waits");
  CHECK_CAUGHT(LosesRunning, "unresolved tasks is wrong");
  CHECK(caught<LosesRunning>("unresolved tasks is wrong", Policy::direct) == "unresolved tasks is wrong");
}

TEST_CASE("the simulator notices a task that is answered twice, or by the wrong attempt") {
  CHECK_CAUGHT(AnswersTwice, "a task was resolved twice");
  CHECK(caught<AnswersTwice>("a task was resolved twice", Policy::ephemeral) == "a task was resolved twice");
  CHECK_CAUGHT(AcceptsStaleAnswers, "an answer that nobody waited for had an effect");
}

TEST_CASE("the simulator notices a task that is out of order") {
  CHECK_CAUGHT(RequeuesAtTheTail, "a task was sent before an older one");
  CHECK_CAUGHT(ForgetsLateEverywhere, "a task was sent before an everywhere()");
}

TEST_CASE("the simulator notices what is miscounted") {
  CHECK_CAUGHT(Miscounts, "complete is");
  CHECK_CAUGHT(LeaksMemory, "memory is");
}

TEST_CASE("the simulator notices a task where it does not fit, and one that waits in vain") {
  CHECK_CAUGHT(IgnoresSizes, "too small for its task");
  CHECK_CAUGHT(HopesForLarger, "should have been resolved");
  CHECK_CAUGHT(MissesDrains, "dismissed");
  CHECK_CAUGHT(DrainsLate, "the timer is wrong");
}

TEST_CASE("the simulator notices work that is left with a daemon that was stopped") {
  CHECK_CAUGHT(WaitsForStoppedDaemons, "should have been interrupted");
}

TEST_CASE("the simulator notices work for a daemon that is suspect") {
  CHECK_CAUGHT(IgnoresSuspicion, "suspect");
}
