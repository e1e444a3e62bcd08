// Tasks that only one R process may run: what parallel sends to a node of a cluster.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

const Cause killed = cause_of_signal(SIGKILL, false);

Dispatcher dispatcher_with(std::size_t daemons, Policy policy = Policy::direct) {
  Rules rules;
  rules.policy = policy;
  return with_daemons(daemons, rules);
}

Lines pin(Dispatcher& dispatcher, std::uint64_t number, std::size_t slot) {
  Submit submit = task(number);
  submit.slot = slot;
  return describe(dispatcher.on_submit(at(0s), 1, std::move(submit)));
}

Lines finish(Dispatcher& dispatcher, DaemonId daemon, std::uint64_t number) {
  return describe(dispatcher.on_finished(at(1s), daemon, {1, number}, 1, {}, false, false));
}

}  // namespace

TEST_CASE("a pinned task goes to its slot, whoever's turn it is and whoever is free") {
  Policy policy = GENERATE(Policy::direct, Policy::queue);
  Dispatcher dispatcher = dispatcher_with(3, policy);

  CHECK(pin(dispatcher, 1, 2) == Lines{"assign 1/1#1 to 12 \"x\""});
  CHECK(pin(dispatcher, 2, 2).empty());
  CHECK(pin(dispatcher, 3, 0) == Lines{"assign 1/3#1 to 10 \"x\""});
  CHECK(finish(dispatcher, 10, 3) == Lines{"resolve 1/3 \"\"", "acknowledge 10"});
  CHECK(dispatcher.queued() == 1);
  CHECK(finish(dispatcher, 12, 1) == Lines{"resolve 1/1 \"\"", "assign 1/2#1 to 12 \"x\""});
}

TEST_CASE("the most memory that was held counts pinned tasks") {
  Dispatcher dispatcher = dispatcher_with(1);
  pin(dispatcher, 1, 0);
  CHECK(dispatcher.peak_memory() == 1);
}

TEST_CASE("a pinned task and one for anybody go in order of submission") {
  Dispatcher dispatcher = dispatcher_with(1, Policy::queue);
  pin(dispatcher, 1, 0);
  dispatcher.on_submit(at(0s), 1, task(2));
  pin(dispatcher, 3, 0);

  CHECK(finish(dispatcher, 10, 1).back() == "assign 1/2#1 to 10 \"x\"");
  CHECK(finish(dispatcher, 10, 2).back() == "assign 1/3#1 to 10 \"x\"");
  CHECK(finish(dispatcher, 10, 3).back() == "acknowledge 10");
}

TEST_CASE("what was pinned to a daemon that dies is for nobody else, whatever the retries") {
  Policy policy = GENERATE(Policy::direct, Policy::queue);
  Dispatcher dispatcher = dispatcher_with(2, policy);
  pin(dispatcher, 1, 0);
  pin(dispatcher, 2, 0);

  Lines lines = describe(dispatcher.on_daemon_left(at(1s), 10, killed));

  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("resolve 1/1 code 19: daemon 1 was killed") == 0);
  CHECK(lines[1].find("resolve 1/2 code 19: daemon 1 was killed") == 0);
  CHECK(lines[1].find("while this task, which it alone may run, waited for it") != std::string::npos);
  CHECK(dispatcher.queued() == 0);
  CHECK(dispatcher.unresolved() == 0);
  CHECK(pin(dispatcher, 3, 1) == Lines{"assign 1/3#1 to 11 \"x\""});
}

TEST_CASE("what is pinned to a slot without a daemon resolves at once, and says how that one ended") {
  Dispatcher dispatcher = dispatcher_with(1);
  CHECK(pin(dispatcher, 1, 7) ==
        Lines{"resolve 1/1 code 19: daemon 8, which alone may run this task, is not here"});
  CHECK(pin(dispatcher, 2, SIZE_MAX).size() == 1);
  dispatcher.on_daemon_left(at(1s), 10, killed);

  Lines lines = pin(dispatcher, 3, 0);

  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("resolve 1/3 code 19: daemon 1 was killed") == 0);
  CHECK(lines[0].find("before it was given this task") != std::string::npos);
  CHECK(dispatcher.unresolved() == 0);
}

TEST_CASE("a pinned task stays with its daemon while that is silent, stopped or back after a break") {
  Policy policy = GENERATE(Policy::direct, Policy::queue);
  Dispatcher dispatcher = dispatcher_with(2, policy);
  pin(dispatcher, 1, 0);
  pin(dispatcher, 2, 0);

  dispatcher.on_daemon_suspect(at(1s), 10);
  CHECK(pin(dispatcher, 3, 0).empty());
  CHECK(dispatcher.on_daemon_stopped(at(2s), 10, at(0s)).empty());
  // It never got the first one.
  CHECK(describe(dispatcher.on_daemon_resumed(at(3s), 10, std::nullopt)) ==
        Lines{"assign 1/1#2 to 10 \"x\""});

  CHECK(dispatcher.queued() == 2);
  CHECK(describe(dispatcher.on_finished(at(4s), 10, {1, 1}, 2, {}, false, false)).back() ==
        "assign 1/2#1 to 10 \"x\"");
}

TEST_CASE("a pinned task of a daemon that takes nothing more resolves when that has gone") {
  Dispatcher dispatcher = dispatcher_with(2);
  pin(dispatcher, 1, 0);
  pin(dispatcher, 2, 0);

  CHECK(describe(dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, true)).back() == "acknowledge 10");
  Lines lines = describe(dispatcher.on_daemon_left(at(2s), 10, cause_of_exit(0)));

  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("resolve 1/2 code 19: daemon 1 ") == 0);
}

TEST_CASE("a pinned task is cancelled like any other") {
  Dispatcher dispatcher = dispatcher_with(1);
  pin(dispatcher, 1, 0);
  pin(dispatcher, 2, 0);

  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 2)) ==
        Lines{"resolve 1/2 code 20: cancelled while it waited for daemon 1"});
  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 1)).back() == "interrupt 1/1#1 on 10");
  CHECK(dispatcher.queued() == 0);
}

TEST_CASE("a slot with a new URL has nothing left that was pinned to it") {
  Dispatcher dispatcher = dispatcher_with(1, Policy::queue);
  pin(dispatcher, 1, 0);
  pin(dispatcher, 2, 0);

  Lines lines = describe(dispatcher.regenerate(at(1s), 0));

  CHECK(lines.size() == 2);
  CHECK(dispatcher.unresolved() == 0);
  CHECK(dispatcher.queued() == 0);
}
