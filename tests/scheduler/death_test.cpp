// Daemons that die, fall silent, come back and say goodbye.
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

const Cause killed = cause_of_signal(SIGKILL, false);
const Cause crashed = cause_of_signal(SIGSEGV, false);
const Cause goodbye{Cause::Kind::goodbye, "said goodbye"};

Rules with_retries(std::string_view text) {
  Rules rules;
  rules.retries = *parse_retries(text);
  return rules;
}

}  // namespace

TEST_CASE("a task whose daemon is killed goes to another free daemon at once") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, killed)) == Lines{"assign 1/1#2 to 11 \"x\""});
}

TEST_CASE("tasks that come back stand at the head of the queue in their old order") {
  Dispatcher dispatcher = with_daemons(3);
  for (std::uint64_t number = 1; number <= 4; ++number) dispatcher.on_submit(at(0s), 1, task(number));

  dispatcher.on_daemon_left(at(1s), 12, killed);
  dispatcher.on_daemon_left(at(1s), 10, killed);

  auto finish = [&](std::uint64_t number, std::uint32_t attempt) {
    return describe(dispatcher.on_finished(at(2s), 11, {1, number}, attempt, {}, false, false)).back();
  };
  CHECK(finish(2, 1) == "assign 1/1#2 to 11 \"x\"");
  CHECK(finish(1, 2) == "assign 1/3#2 to 11 \"x\"");
  CHECK(finish(3, 2) == "assign 1/4#1 to 11 \"x\"");
}

TEST_CASE(
    "a task that dies with its daemons too often resolves to reset, with the cause and the number of tries") {
  Dispatcher dispatcher = with_daemons(3);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_left(at(1s), 10, killed);
  dispatcher.on_daemon_left(at(2s), 11, Cause{Cause::Kind::lost, "was silent for 60 s"});

  CHECK(describe(dispatcher.on_daemon_left(at(3s), 12, killed)) ==
        Lines{"resolve 1/1 code 19: daemon 3 was killed by signal 9 (SIGKILL) while it ran this task; "
              "it was tried 3 times, and before that daemon 1 was killed by signal 9 (SIGKILL), daemon 2 was "
              "silent for 60 s"});
  CHECK(dispatcher.unresolved() == 0);
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE("a task that crashes its daemon is not tried again") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, crashed)) ==
        Lines{"resolve 1/1 code 19: daemon 1 was killed by signal 11 (segmentation fault) while it ran this "
              "task"});
}

TEST_CASE("memory that ran out is tried again when asked for") {
  Dispatcher dispatcher = with_daemons(2, with_retries("0,oom=1"));
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, cause_of_signal(SIGKILL, true))) ==
        Lines{"assign 1/1#2 to 11 \"x\""});
  CHECK(describe(dispatcher.on_daemon_left(at(2s), 11, cause_of_signal(SIGKILL, true))) ==
        Lines{"resolve 1/1 code 19: daemon 2 was killed by signal 9 (SIGKILL) because memory ran out while "
              "it ran "
              "this task; it was tried 2 times, and before that daemon 1 was killed by signal 9 (SIGKILL) "
              "because memory ran out"});
}

TEST_CASE("with no retries the first death resolves the task") {
  Dispatcher dispatcher = with_daemons(2, with_retries("0"));
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, killed)).size() == 1);
  CHECK(dispatcher.unresolved() == 0);
}

TEST_CASE("a task that crossed a goodbye goes back to the head and counts nothing") {
  Dispatcher dispatcher = with_daemons(1, with_retries("0"));
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));

  for (DaemonId daemon = 10; daemon < 20; ++daemon) {
    Lines told = describe(dispatcher.on_daemon_left(at(1s), daemon, goodbye));
    CHECK(told.size() == 1);
    CHECK(told[0].starts_with("tell 1: no daemon is left"));
    dispatcher.on_daemon_joined(at(1s), daemon + 1, 0);
  }

  CHECK(describe(dispatcher.on_daemon_left(at(2s), 20, killed)) ==
        Lines{"resolve 1/1 code 19: daemon 1 was killed by signal 9 (SIGKILL) while it ran this task",
              "tell 1: no daemon is left: daemon 1 was killed by signal 9 (SIGKILL); tasks wait until one "
              "joins, launch_local(1) starts one here, launch_remote() one elsewhere"});
}

TEST_CASE("the death of a daemon whose task was cancelled resolves nothing more") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_cancel(at(1s), 1, 1);

  CHECK(dispatcher.on_daemon_left(at(2s), 10, killed).empty());
  CHECK(dispatcher.slots()[0].complete == 0);
}

TEST_CASE("a late answer from a daemon that was given up is discarded") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_left(at(1s), 10, killed);

  CHECK(dispatcher.on_finished(at(2s), 10, {1, 1}, 1, make_payload("late"), false, false).empty());
  CHECK(dispatcher.violations() == 1);
  CHECK(describe(dispatcher.on_finished(at(3s), 11, {1, 1}, 2, make_payload("new"), false, false)) ==
        Lines{"resolve 1/1 \"new\"", "acknowledge 11"});
}

TEST_CASE("a suspect daemon gets nothing new until it is heard again") {
  Dispatcher dispatcher = with_daemons(2);

  CHECK(dispatcher.on_daemon_suspect(at(0s), 10).empty());
  CHECK(dispatcher.slots()[0].suspect);
  CHECK(dispatcher.slots()[0].online);
  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(1))) == Lines{"assign 1/1#1 to 11 \"x\""});
  CHECK(dispatcher.on_submit(at(0s), 1, task(2)).empty());

  CHECK(describe(dispatcher.on_daemon_heard(at(1s), 10)) == Lines{"assign 1/2#1 to 10 \"x\""});
  CHECK_FALSE(dispatcher.slots()[0].suspect);
}

TEST_CASE("a suspect daemon keeps what it runs and may answer") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_suspect(at(8s), 10);
  dispatcher.on_submit(at(8s), 1, task(2));
  dispatcher.on_submit(at(8s), 1, task(3));

  CHECK(describe(dispatcher.on_finished(at(9s), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10"});
}

TEST_CASE("what a stopped daemon was sent and has not read goes to others, and that counts no try") {
  Dispatcher dispatcher = with_daemons(2, with_retries("0"));
  dispatcher.on_submit(at(1h), 1, task(1));
  dispatcher.on_daemon_suspect(at(1h + 8s), 10);

  CHECK(describe(dispatcher.on_daemon_stopped(at(1h + 10s), 10, at(0s))) ==
        Lines{"interrupt 1/1#1 on 10", "assign 1/1#2 to 11 \"x\""});
  CHECK(dispatcher.on_daemon_stopped(at(1h + 40s), 10, at(0s)).empty());

  // When it goes on, it reads the task and the interrupt, and then takes what there is.
  dispatcher.on_submit(at(2h), 1, task(2));
  CHECK(dispatcher.on_daemon_heard(at(3h), 10).empty());
  CHECK(describe(dispatcher.on_finished(at(3h), 10, {1, 1}, 1, {}, true, false)) ==
        Lines{"assign 1/2#1 to 10 \"x\""});
  CHECK(describe(dispatcher.on_finished(at(3h), 11, {1, 1}, 2, make_payload("2"), false, false)) ==
        Lines{"resolve 1/1 \"2\"", "acknowledge 11"});
  CHECK(dispatcher.violations() == 0);
}

TEST_CASE("what a daemon ran before it was stopped is waited for") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_suspect(at(1h), 10);

  CHECK(dispatcher.on_daemon_stopped(at(1h), 10, at(30min)).empty());

  CHECK(describe(dispatcher.on_finished(at(2h), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10"});
}

TEST_CASE("a task taken from a stopped daemon waits where there is no other, and can be cancelled") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));
  dispatcher.on_daemon_suspect(at(8s), 10);

  CHECK(describe(dispatcher.on_daemon_stopped(at(10s), 10, at(0s))) == Lines{"interrupt 1/1#1 on 10"});
  CHECK(dispatcher.queued() == 2);
  CHECK(describe(dispatcher.on_cancel(at(11s), 1, 2)) ==
        Lines{"resolve 1/2 code 20: cancelled while it waited for a daemon"});

  dispatcher.on_daemon_left(at(12s), 10, killed);
  CHECK(dispatcher.queued() == 1);
  CHECK(describe(dispatcher.on_daemon_joined(at(13s), 11, 0)) == Lines{"assign 1/1#2 to 11 \"x\""});
}

TEST_CASE("a daemon that comes back with its task goes on with it") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_suspect(at(1s), 10);

  CHECK(dispatcher.on_daemon_resumed(at(2s), 10, Dispatcher::Held{{1, 1}, 1}).empty());

  CHECK_FALSE(dispatcher.slots()[0].suspect);
  CHECK(describe(dispatcher.on_finished(at(3s), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10"});
  CHECK(dispatcher.slots()[0].instance == 1);
}

TEST_CASE("a task that never arrived is sent again, and that counts no try") {
  Dispatcher dispatcher = with_daemons(1, with_retries("0"));
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_resumed(at(2s), 10, std::nullopt)) ==
        Lines{"assign 1/1#2 to 10 \"x\""});
}

TEST_CASE("a daemon that comes back with something else is told to drop it") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, false);
  dispatcher.on_submit(at(1s), 1, task(2));

  // The acknowledgement of 1 and task 2 were lost with the connection.
  CHECK(describe(dispatcher.on_daemon_resumed(at(2s), 10, Dispatcher::Held{{1, 1}, 1})) ==
        Lines{"interrupt 1/1#1 on 10", "assign 1/2#2 to 10 \"x\""});
}

TEST_CASE("a daemon that comes back with a cancelled task is interrupted again and awaited") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));
  dispatcher.on_daemon_suspect(at(1s), 10);
  dispatcher.on_cancel(at(1s), 1, 1);

  CHECK(describe(dispatcher.on_daemon_resumed(at(2s), 10, Dispatcher::Held{{1, 1}, 1})) ==
        Lines{"interrupt 1/1#1 on 10"});
  CHECK(describe(dispatcher.on_finished(at(3s), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"assign 1/2#1 to 10 \"x\""});
  CHECK(dispatcher.violations() == 0);
}

TEST_CASE("a cancelled task that never arrived frees its daemon when that comes back") {
  Rules rules;
  rules.kill_after = 1s;
  Dispatcher dispatcher = with_daemons(1, rules);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_cancel(at(0s), 1, 1);

  CHECK(dispatcher.on_daemon_resumed(at(500ms), 10, std::nullopt).empty());

  CHECK_FALSE(dispatcher.is_busy(10));
  CHECK_FALSE(dispatcher.next_timer());
}

TEST_CASE("a daemon that is leaving takes nothing more, but its answer counts") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));

  CHECK(dispatcher.on_daemon_leaving(at(1s), 10).empty());
  CHECK(dispatcher.slots()[0].online);
  CHECK(describe(dispatcher.on_finished(at(2s), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10"});

  CHECK(dispatcher.on_daemon_heard(at(2s), 10).empty());
  CHECK(dispatcher.on_daemon_resumed(at(2s), 10, std::nullopt).empty());
  dispatcher.on_daemon_left(at(3s), 10, goodbye);
  CHECK_FALSE(dispatcher.slots()[0].online);
}

TEST_CASE("an answer marked as the last is acknowledged and followed by nothing") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));

  CHECK(describe(dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, true)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10"});
  CHECK(dispatcher.queued() == 1);
}

TEST_CASE("daemons that are not known are ignored") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(dispatcher.on_daemon_left(at(0s), 99, killed).empty());
  CHECK(dispatcher.on_daemon_leaving(at(0s), 99).empty());
  CHECK(dispatcher.on_daemon_suspect(at(0s), 99).empty());
  CHECK(dispatcher.on_daemon_heard(at(0s), 99).empty());
  CHECK(dispatcher.on_daemon_stopped(at(0s), 99, at(0s)).empty());
  CHECK(dispatcher.on_daemon_resumed(at(0s), 99, Dispatcher::Held{{1, 1}, 1}).empty());
  CHECK_FALSE(dispatcher.slot_of(99));
  CHECK_FALSE(dispatcher.is_busy(99));
  CHECK(dispatcher.on_daemon_joined(at(0s), 10, 0).empty());
  CHECK(dispatcher.slots()[0].instance == 1);
}

TEST_CASE("of many deaths of one task the first ten are told, and how many more there were") {
  Dispatcher dispatcher = with_daemons(1, with_retries("12"));
  dispatcher.on_submit(at(0s), 1, task(1));
  for (DaemonId daemon = 10; daemon < 22; ++daemon) {
    dispatcher.on_daemon_left(at(1s), daemon, killed);
    dispatcher.on_daemon_joined(at(1s), daemon + 1, 0);
  }

  std::string told = describe(dispatcher.on_daemon_left(at(2s), 22, killed)).front();
  CHECK(told.find("it was tried 13 times, and before that daemon 1 was") != told.npos);
  CHECK(told.ends_with(", and 2 more"));
}

TEST_CASE("a limit of the kernel would strike again, so what it ends is not tried again") {
  for (int signal : {SIGXCPU, SIGXFSZ}) {
    Dispatcher dispatcher = with_daemons(2);
    dispatcher.on_submit(at(0s), 1, task(1));

    Lines lines = describe(dispatcher.on_daemon_left(at(1s), 10, cause_of_signal(signal, false)));
    REQUIRE(lines.size() == 1);
    CHECK(
        lines[0].starts_with("resolve 1/1 code 19: daemon 1 was killed by signal " + std::to_string(signal)));
  }
}

TEST_CASE("the last lines of a daemon are told once, behind how it ended") {
  Dispatcher dispatcher = with_daemons(2, with_retries("1"));
  dispatcher.on_submit(at(0s), 1, task(1));
  Cause cause = killed;
  cause.log = "so long";
  dispatcher.on_daemon_left(at(1s), 10, cause);

  CHECK(
      describe(dispatcher.on_daemon_left(at(2s), 11, cause)).front() ==
      "resolve 1/1 code 19: daemon 2 was killed by signal 9 (SIGKILL) while it ran this task; it was tried 2 "
      "times, and before that daemon 1 was killed by signal 9 (SIGKILL); the last lines of daemon 2: so "
      "long");
}

TEST_CASE("that no daemon is left is told once, when a task waits for the next one") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_daemon_left(at(1s), 10, goodbye);

  CHECK(dispatcher.on_daemon_left(at(2s), 11, goodbye).empty());
  CHECK(describe(dispatcher.on_submit(at(600s), 1, task(1))) ==
        Lines{"tell 1: no daemon is left: daemon 2 has ended as it was told to (idletime, walltime, "
              "maxtasks); tasks wait until one joins, launch_local(2) starts one here, launch_remote() one "
              "elsewhere"});
  CHECK(dispatcher.on_submit(at(601s), 1, task(2)).empty());

  dispatcher.on_daemon_joined(at(602s), 12, 0);
  Lines last = describe(dispatcher.on_daemon_left(at(603s), 12, killed));
  REQUIRE(!last.empty());
  CHECK(last.back().starts_with("tell 1: no daemon is left: daemon 1 was killed by signal 9"));
}

TEST_CASE("before any daemon has come, none is missed") {
  Dispatcher dispatcher(Rules{}, 1);
  dispatcher.on_session_joined(at({}), 1);

  CHECK(dispatcher.on_submit(at(1s), 1, task(1)).empty());
}
