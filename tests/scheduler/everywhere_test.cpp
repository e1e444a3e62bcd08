#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

Sends everywhere(Dispatcher& dispatcher, std::string_view payload, SessionId session = 1) {
  return dispatcher.on_everywhere(at(0s), session, make_payload(payload));
}

// The daemon answers what it was sent in these sends.
Sends answer(Dispatcher& dispatcher, DaemonId daemon, const Sends& sends) {
  for (const Send& send : sends) {
    const Assign* assign = std::get_if<Assign>(&send);
    if (assign == nullptr || assign->daemon != daemon) continue;
    return dispatcher.on_finished(at(1s), daemon, assign->key, assign->attempt, {}, false, false);
  }
  FAIL("nothing was sent to daemon " << daemon);
  return {};
}

}  // namespace

TEST_CASE("everywhere() is sent to each free daemon at once") {
  Dispatcher dispatcher = with_daemons(2);

  Sends sends = everywhere(dispatcher, "library(a)");

  CHECK(describe(sends) ==
        Lines{"everywhere of 1 to 10 \"library(a)\"", "everywhere of 1 to 11 \"library(a)\""});
  CHECK(dispatcher.is_busy(10));
  CHECK(describe(answer(dispatcher, 10, sends)) == Lines{"acknowledge 10"});
}

TEST_CASE("a task submitted after an everywhere() waits for it, one submitted before does not") {
  Dispatcher dispatcher = with_daemons(1);
  Sends first = dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));
  CHECK(everywhere(dispatcher, "e").empty());
  dispatcher.on_submit(at(0s), 1, task(3));

  Sends second = answer(dispatcher, 10, first);
  CHECK(describe(second).back() == "assign 1/2#1 to 10 \"x\"");
  Sends third = answer(dispatcher, 10, second);
  CHECK(describe(third).back() == "everywhere of 1 to 10 \"e\"");
  Sends fourth = answer(dispatcher, 10, third);
  CHECK(describe(fourth) == Lines{"assign 1/3#1 to 10 \"x\""});
}

TEST_CASE("several everywhere() come in their order") {
  Dispatcher dispatcher = with_daemons(1);
  Sends first = everywhere(dispatcher, "a");
  CHECK(everywhere(dispatcher, "b").empty());

  Sends second = answer(dispatcher, 10, first);

  CHECK(describe(second) == Lines{"everywhere of 1 to 10 \"b\""});
  CHECK(describe(answer(dispatcher, 10, second)) == Lines{"acknowledge 10"});
}

TEST_CASE("a daemon that joins late gets every everywhere() before its first task") {
  Dispatcher dispatcher(Rules{}, 1);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_submit(at(0s), 1, task(1));
  everywhere(dispatcher, "a");
  dispatcher.on_submit(at(0s), 1, task(2));
  everywhere(dispatcher, "b");

  Sends first = dispatcher.on_daemon_joined(at(0s), 10, 0);
  CHECK(describe(first) == Lines{"everywhere of 1 to 10 \"a\""});
  Sends second = answer(dispatcher, 10, first);
  CHECK(describe(second) == Lines{"everywhere of 1 to 10 \"b\""});
  CHECK(describe(answer(dispatcher, 10, second)) == Lines{"assign 1/1#1 to 10 \"x\""});
}

TEST_CASE("everywhere() does not count as a task") {
  Dispatcher dispatcher = with_daemons(1);

  Sends sends = everywhere(dispatcher, "a");
  answer(dispatcher, 10, sends);

  CHECK(dispatcher.slots()[0].assigned == 0);
  CHECK(dispatcher.slots()[0].complete == 0);
  CHECK(dispatcher.unresolved() == 0);
}

TEST_CASE("the number of an everywhere() is none that a task can have") {
  Dispatcher dispatcher = with_daemons(1);

  TaskKey key = key_of_everywhere(everywhere(dispatcher, "a"));

  CHECK(key.session == 1);
  CHECK((key.task & everywhere_bit) != 0);
}

TEST_CASE("an everywhere() that fails is told to its session, with what went wrong") {
  Dispatcher dispatcher = with_daemons(2);
  TaskKey key = key_of_everywhere(everywhere(dispatcher, "a"));

  CHECK(describe(dispatcher.on_finished(at(1s), 10, key, 1, {}, true, false, "Error: no package 'a'")) ==
        Lines{"tell 1: everywhere() failed on daemon 1: Error: no package 'a'", "acknowledge 10"});
  CHECK(describe(dispatcher.on_finished(at(1s), 11, key, 1, {}, true, false)) ==
        Lines{"tell 1: everywhere() failed on daemon 2", "acknowledge 11"});
}

TEST_CASE("an everywhere() ends with its daemon and is given to the next on the slot") {
  Dispatcher dispatcher = with_daemons(1);
  everywhere(dispatcher, "a");

  CHECK(dispatcher.on_daemon_left(at(1s), 10, {Cause::Kind::goodbye, "was sent away"}).empty());

  CHECK(describe(dispatcher.on_daemon_joined(at(2s), 11, 0)) == Lines{"everywhere of 1 to 11 \"a\""});
}

TEST_CASE("an everywhere() under which daemons die is told as the reason, once for each slot") {
  Dispatcher dispatcher = with_daemons(2);
  everywhere(dispatcher, "a");

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, cause_of_signal(SIGKILL, false))) ==
        Lines{"tell 1: daemon 1 was killed by signal 9 (SIGKILL) while it ran everywhere(); the next one in "
              "its place runs that first, too"});
  dispatcher.on_daemon_joined(at(2s), 12, 0);
  CHECK(dispatcher.on_daemon_left(at(3s), 12, cause_of_signal(SIGKILL, false)).empty());
  CHECK(describe(dispatcher.on_daemon_left(at(4s), 11, cause_of_signal(SIGKILL, false))).size() == 1);
}

TEST_CASE("an everywhere() that fails on each daemon in a slot is told for the first") {
  Dispatcher dispatcher = with_daemons(1);
  TaskKey key = key_of_everywhere(everywhere(dispatcher, "a"));
  dispatcher.on_finished(at(1s), 10, key, 1, {}, true, false, "Error: no package 'a'");
  dispatcher.on_daemon_left(at(2s), 10, {Cause::Kind::goodbye, "was sent away"});
  dispatcher.on_daemon_joined(at(3s), 11, 0);

  CHECK(describe(dispatcher.on_finished(at(4s), 11, key, 1, {}, true, false, "Error: no package 'a'")) ==
        Lines{"acknowledge 11"});
}

TEST_CASE("a daemon that dies in an everywhere() whose session has left is told to nobody") {
  Dispatcher dispatcher = with_daemons(1);
  everywhere(dispatcher, "a");
  dispatcher.on_session_left(at(1s), 1);

  CHECK(dispatcher.on_daemon_left(at(2s), 10, cause_of_signal(SIGKILL, false)).empty());
}

TEST_CASE("an everywhere() that never arrived is sent again, in order") {
  Dispatcher dispatcher = with_daemons(1);
  everywhere(dispatcher, "a");
  everywhere(dispatcher, "b");

  Sends again = dispatcher.on_daemon_resumed(at(1s), 10, std::nullopt);

  CHECK(describe(again) == Lines{"everywhere of 1 to 10 \"a\""});
  CHECK(describe(answer(dispatcher, 10, again)) == Lines{"everywhere of 1 to 10 \"b\""});
}

TEST_CASE("a suspect daemon gets what it missed when it is heard again") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_daemon_suspect(at(0s), 10);
  CHECK(everywhere(dispatcher, "a").empty());

  CHECK(describe(dispatcher.on_daemon_heard(at(1s), 10)) == Lines{"everywhere of 1 to 10 \"a\""});
}

TEST_CASE("a session that leaves takes its everywhere() along") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_session_joined(at(0s), 2);
  dispatcher.on_daemon_left(at(0s), 11, Cause{});
  Sends first = everywhere(dispatcher, "mine", 1);
  everywhere(dispatcher, "other", 2);

  dispatcher.on_session_left(at(1s), 1);

  CHECK(dispatcher.memory() == 5);
  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 12, 1)) == Lines{"everywhere of 2 to 12 \"other\""});
  // Its failure interests nobody any more.
  CHECK(describe(dispatcher.on_finished(at(1s), 10, key_of_everywhere(first), 1, {}, true, false)) ==
        Lines{"everywhere of 2 to 10 \"other\""});
}

TEST_CASE("any number of everywhere() is kept for a daemon that joins late") {
  Dispatcher dispatcher(Rules{}, 1);
  dispatcher.on_session_joined(at(0s), 1);
  constexpr int calls = 1500;
  for (int i = 0; i < calls; ++i) everywhere(dispatcher, std::to_string(i));

  Sends sent = dispatcher.on_daemon_joined(at(0s), 10, 0);
  for (int i = 0; i < calls; ++i) {
    REQUIRE(describe(sent) == Lines{"everywhere of 1 to 10 \"" + std::to_string(i) + "\""});
    sent = answer(dispatcher, 10, sent);
  }
  CHECK(describe(sent) == Lines{"acknowledge 10"});
}

TEST_CASE("what is kept of everywhere() is bounded by the memory limit") {
  Rules rules;
  rules.memory_limit = 10;
  Dispatcher dispatcher = with_daemons(1, rules);
  everywhere(dispatcher, "12345678");

  CHECK(
      describe(everywhere(dispatcher, "123")) ==
      Lines{"tell 1: everywhere() was not run: its 3 bytes and the 8 bytes of earlier ones, kept for daemons "
            "that join later, exceed the memory limit of 10 bytes"});
  CHECK(dispatcher.memory() == 8);
}

TEST_CASE("a task that is alone is taken however much is kept of everywhere()") {
  Rules rules;
  rules.memory_limit = 10;
  Dispatcher dispatcher = with_daemons(1, rules);
  answer(dispatcher, 10, everywhere(dispatcher, "1234567890"));

  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(1))) == Lines{"assign 1/1#1 to 10 \"x\""});
  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(2))).front().find("resolve 1/2") == 0);
}

TEST_CASE(
    "an everywhere() that is sent again is another attempt, so that a late answer to the first is "
    "discarded") {
  Dispatcher dispatcher = with_daemons(1);
  TaskKey key = key_of_everywhere(everywhere(dispatcher, "a"));
  dispatcher.on_daemon_resumed(at(1s), 10, std::nullopt);

  CHECK(dispatcher.on_finished(at(2s), 10, key, 1, {}, false, false).empty());
  CHECK(dispatcher.violations() == 1);
  CHECK(describe(dispatcher.on_finished(at(2s), 10, key, 2, {}, false, false)) == Lines{"acknowledge 10"});
}
