#include <csignal>
#include <cstdint>
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

// Whose values are the answers to the tasks 100 and following.
Sends everywhere_for(Dispatcher& dispatcher, std::uint64_t count, std::uint64_t minimum = 1) {
  return dispatcher.on_everywhere(at(0s), 1, make_payload("e"), {100, count, minimum});
}

// The daemon answers what it was sent in these sends.
Sends answer(Dispatcher& dispatcher, DaemonId daemon, const Sends& sends, std::string_view value = {}) {
  for (const Send& send : sends) {
    const Assign* assign = std::get_if<Assign>(&send);
    if (assign == nullptr || assign->daemon != daemon) continue;
    return dispatcher.on_finished(at(1s), daemon, assign->key, assign->attempt, make_payload(value), false,
                                  false);
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

// --- its values ---

TEST_CASE("the value of an everywhere() on each daemon is the answer to a task") {
  Dispatcher dispatcher = with_daemons(2);

  Sends sends = everywhere_for(dispatcher, 2);

  CHECK(describe(sends) == Lines{"everywhere of 1 to 10 \"e\"", "everywhere of 1 to 11 \"e\""});
  CHECK(describe(answer(dispatcher, 11, sends, "b")) == Lines{"resolve 1/101 \"b\"", "acknowledge 11"});
  CHECK(describe(answer(dispatcher, 10, sends, "a")) == Lines{"resolve 1/100 \"a\"", "acknowledge 10"});
}

TEST_CASE("an everywhere() that fails is told, and is the answer to its task, too") {
  Dispatcher dispatcher = with_daemons(1);
  TaskKey key = key_of_everywhere(everywhere_for(dispatcher, 1));

  CHECK(
      describe(dispatcher.on_finished(at(1s), 10, key, 1, make_payload("error"), true, false, "Error: e")) ==
      Lines{"tell 1: everywhere() failed on daemon 1: Error: e", "resolve 1/100 failed \"error\"",
            "acknowledge 10"});
}

TEST_CASE("up to a minimum, daemons that join later give the answers of everywhere()") {
  Dispatcher dispatcher(Rules{}, 3);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_daemon_joined(at(0s), 10, 0);
  Sends first = everywhere_for(dispatcher, 2, 2);
  answer(dispatcher, 10, first, "a");

  Sends second = dispatcher.on_daemon_joined(at(1s), 11, 1);
  Sends third = dispatcher.on_daemon_joined(at(1s), 12, 2);

  CHECK(describe(answer(dispatcher, 11, second, "b")) == Lines{"resolve 1/101 \"b\"", "acknowledge 11"});
  CHECK(describe(answer(dispatcher, 12, third, "c")) == Lines{"acknowledge 12"});
}

TEST_CASE("what an everywhere() is asked for beyond its minimum and the daemons resolves at once") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(describe(everywhere_for(dispatcher, 3, 2)) ==
        Lines{"resolve 1/102 code 19: a daemon that was there when everywhere() was called is gone",
              "everywhere of 1 to 10 \"e\""});
}

TEST_CASE("a daemon that takes nothing more is not asked for the value of an everywhere()") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_leaving(at(0s), 10);

  Sends sends = everywhere_for(dispatcher, 1);

  CHECK(describe(answer(dispatcher, 11, sends, "b")) == Lines{"resolve 1/100 \"b\"", "acknowledge 11"});
}

TEST_CASE("a daemon that dies before it has run an everywhere(), or within, is the reason for no value") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));
  everywhere_for(dispatcher, 2);

  Lines busy = describe(dispatcher.on_daemon_left(at(1s), 10, {Cause::Kind::quit, "has quit"}));
  Lines running = describe(dispatcher.on_daemon_left(at(1s), 11, {Cause::Kind::goodbye, "was sent away"}));

  CHECK(busy.back() == "resolve 1/100 code 19: daemon 1 has quit before it ran everywhere()");
  CHECK(running == Lines{"resolve 1/101 code 19: daemon 2 has ended as it was told to (idletime, walltime, "
                         "maxtasks) while it ran everywhere()"});
  // The next in its place runs it for its own sake.
  Sends sends = dispatcher.on_daemon_joined(at(2s), 12, 0);
  CHECK(describe(answer(dispatcher, 12, sends, "late")) == Lines{"acknowledge 12"});
}

TEST_CASE("saisei() of a daemon that has yet to run an everywhere() closes its answer") {
  Dispatcher dispatcher = with_daemons(1);
  everywhere_for(dispatcher, 1);

  CHECK(describe(dispatcher.regenerate(at(1s), 0)) ==
        Lines{"resolve 1/100 code 7: daemon 1 was given a new URL while it ran everywhere()"});
}

TEST_CASE("an everywhere() that is sent again answers its task once") {
  Dispatcher dispatcher = with_daemons(1);
  everywhere_for(dispatcher, 1);

  Sends again = dispatcher.on_daemon_resumed(at(1s), 10, std::nullopt);

  CHECK(describe(answer(dispatcher, 10, again, "a")) == Lines{"resolve 1/100 \"a\"", "acknowledge 10"});
}

TEST_CASE("where no daemon can come, an everywhere() that waits for one is told, and given up in time") {
  Rules rules;
  rules.patience = 600s;
  Dispatcher dispatcher(rules, 1);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_prospects(at(0s), {Prospects::Kind::none, "launch 1 has failed"});

  CHECK(describe(everywhere_for(dispatcher, 1))
            .front()
            .find("tell 1: no daemon is coming: launch 1 has failed") == 0);
  CHECK(dispatcher.next_timer() == at(600s));
  CHECK(describe(dispatcher.on_timer(at(600s))) ==
        Lines{"resolve 1/100 code 19: no daemon has come for 600 s: launch 1 has failed"});
  CHECK_FALSE(dispatcher.next_timer());
  Sends sends = dispatcher.on_daemon_joined(at(601s), 10, 0);
  CHECK(describe(answer(dispatcher, 10, sends, "late")) == Lines{"acknowledge 10"});
}

TEST_CASE("a task that is cancelled does not end the wait for a daemon that an everywhere() needs") {
  Rules rules;
  rules.patience = 600s;
  Dispatcher dispatcher(rules, 1);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_prospects(at(0s), {Prospects::Kind::none, "none"});
  everywhere_for(dispatcher, 1);
  dispatcher.on_submit(at(0s), 1, task(1));

  dispatcher.on_cancel(at(1s), 1, 1);

  CHECK(describe(dispatcher.on_timer(at(600s))).size() == 1);
}

TEST_CASE("an everywhere() that is refused is so for each of its tasks") {
  Rules rules;
  rules.policy = Policy::ephemeral;
  Dispatcher dispatcher(rules);
  dispatcher.on_session_joined(at(0s), 1);

  Lines lines = describe(everywhere_for(dispatcher, 2));

  REQUIRE(lines.size() == 3);
  CHECK(lines[1].find("resolve 1/100 code 19: it was not run: there are no daemons") == 0);
  CHECK(lines[2].find("resolve 1/101 code 19") == 0);
}
