// The other ways in which tasks find daemons: open, direct, and one fresh R each.
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

const Cause killed = cause_of_signal(SIGKILL, false);

Dispatcher open(std::size_t daemons) {
  Rules rules;
  rules.policy = Policy::open;
  return with_daemons(daemons, rules);
}

Dispatcher direct(std::size_t daemons) {
  Rules rules;
  rules.policy = Policy::direct;
  return with_daemons(daemons, rules);
}

Dispatcher ephemeral(std::size_t at_a_time = 64) {
  Rules rules;
  rules.policy = Policy::ephemeral;
  rules.max_ephemeral = at_a_time;
  return with_daemons(0, rules);
}

Lines finish(Dispatcher& dispatcher, DaemonId daemon, std::uint64_t number, std::uint32_t attempt = 1) {
  return describe(dispatcher.on_finished(at(1s), daemon, {1, number}, attempt, {}, false, false));
}

Lines submit(Dispatcher& dispatcher, std::uint64_t number) {
  return describe(dispatcher.on_submit(at(0s), 1, task(number)));
}

}  // namespace

TEST_CASE("open: any number of daemons takes tasks from one queue, in order") {
  Dispatcher dispatcher = open(1);
  for (std::uint64_t number = 1; number <= 4; ++number) submit(dispatcher, number);

  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 20)) == Lines{"assign 1/2#1 to 20 \"x\""});
  CHECK(finish(dispatcher, 20, 2).back() == "assign 1/3#1 to 20 \"x\"");
  CHECK(describe(dispatcher.on_daemon_left(at(1s), 20, killed)).empty());
  CHECK(finish(dispatcher, 10, 1).back() == "assign 1/3#2 to 10 \"x\"");

  CHECK(describe(dispatcher.on_daemon_joined(at(2s), 21)) == Lines{"assign 1/4#1 to 21 \"x\""});
  CHECK(dispatcher.slots().size() == 2);  // that of the one that died is used again
}

TEST_CASE("direct: tasks are bound to the daemons in turn, whether those are free or not") {
  Dispatcher dispatcher = direct(2);

  CHECK(submit(dispatcher, 1) == Lines{"assign 1/1#1 to 10 \"x\""});
  CHECK(submit(dispatcher, 2) == Lines{"assign 1/2#1 to 11 \"x\""});
  CHECK(submit(dispatcher, 3).empty());
  CHECK(finish(dispatcher, 11, 2) == Lines{"resolve 1/2 \"\"", "acknowledge 11"});
  CHECK(submit(dispatcher, 4) == Lines{"assign 1/4#1 to 11 \"x\""});
  CHECK(submit(dispatcher, 5).empty());
  CHECK(dispatcher.queued() == 2);
  CHECK(finish(dispatcher, 10, 1) == Lines{"resolve 1/1 \"\"", "assign 1/3#1 to 10 \"x\""});
  CHECK(finish(dispatcher, 10, 3) == Lines{"resolve 1/3 \"\"", "assign 1/5#1 to 10 \"x\""});
}

TEST_CASE("direct: without a daemon tasks wait, and are dealt out when one joins") {
  Dispatcher dispatcher = direct(0);
  CHECK(submit(dispatcher, 1).empty());
  CHECK(submit(dispatcher, 2).empty());

  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 10)) == Lines{"assign 1/1#1 to 10 \"x\""});

  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 11)).empty());
  CHECK(finish(dispatcher, 10, 1).back() == "assign 1/2#1 to 10 \"x\"");
}

TEST_CASE("direct: what only waited at a daemon that dies goes to others in order and counts nothing") {
  Dispatcher dispatcher = direct(2);
  for (std::uint64_t number = 1; number <= 6; ++number) submit(dispatcher, number);

  // 1 ran there, 3 and 5 waited there.
  CHECK(dispatcher.on_daemon_left(at(1s), 10, killed).empty());

  CHECK(finish(dispatcher, 11, 2).back() == "assign 1/1#2 to 11 \"x\"");
  CHECK(finish(dispatcher, 11, 1, 2).back() == "assign 1/3#1 to 11 \"x\"");
  CHECK(finish(dispatcher, 11, 3).back() == "assign 1/4#1 to 11 \"x\"");
}

TEST_CASE("direct: what waited at a daemon that is leaving goes to others at once") {
  Dispatcher dispatcher = direct(2);
  for (std::uint64_t number = 1; number <= 3; ++number) submit(dispatcher, number);
  finish(dispatcher, 11, 2);

  CHECK(describe(dispatcher.on_daemon_leaving(at(1s), 10)) == Lines{"assign 1/3#1 to 11 \"x\""});
}

TEST_CASE("direct: the last answer of a daemon frees what waited there") {
  Dispatcher dispatcher = direct(2);
  for (std::uint64_t number = 1; number <= 3; ++number) submit(dispatcher, number);
  finish(dispatcher, 11, 2);

  CHECK(describe(dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, true)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10", "assign 1/3#1 to 11 \"x\""});
}

TEST_CASE("direct: a task that is cancelled at its daemon never runs") {
  Dispatcher dispatcher = direct(1);
  submit(dispatcher, 1);
  submit(dispatcher, 2);

  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 2)) ==
        Lines{"resolve 1/2 code 20: cancelled while it waited for daemon 1"});
  CHECK(finish(dispatcher, 10, 1).back() == "acknowledge 10");
  CHECK(dispatcher.queued() == 0);
}

TEST_CASE("direct: a suspect daemon is passed over") {
  Dispatcher dispatcher = direct(2);
  dispatcher.on_daemon_suspect(at(0s), 10);

  CHECK(submit(dispatcher, 1) == Lines{"assign 1/1#1 to 11 \"x\""});
  CHECK(submit(dispatcher, 2).empty());
  CHECK(finish(dispatcher, 11, 1).back() == "assign 1/2#1 to 11 \"x\"");
}

TEST_CASE("direct: everywhere() is a barrier at each daemon") {
  Dispatcher dispatcher = direct(1);
  submit(dispatcher, 1);
  dispatcher.on_everywhere(at(0s), 1, make_payload("e"));
  submit(dispatcher, 2);

  Sends sends = dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, false);
  CHECK(describe(sends).back() == "everywhere of 1 to 10 \"e\"");
  CHECK(describe(dispatcher.on_finished(at(2s), 10, key_of_everywhere(sends), 1, {}, false, false)) ==
        Lines{"assign 1/2#1 to 10 \"x\""});
}

TEST_CASE("direct: slots of daemons that have gone are used again") {
  Dispatcher dispatcher = direct(2);
  dispatcher.on_daemon_left(at(1s), 10, killed);

  dispatcher.on_daemon_joined(at(2s), 12);

  CHECK(dispatcher.slots().size() == 2);
  CHECK(dispatcher.slot_of(12) == 0);
  CHECK(dispatcher.slots()[0].instance == 2);
}

TEST_CASE("ephemeral: each task has a process started, which is dismissed after it") {
  Dispatcher dispatcher = ephemeral();

  CHECK(submit(dispatcher, 1) == Lines{"launch"});
  CHECK(submit(dispatcher, 2) == Lines{"launch"});
  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 10)) == Lines{"assign 1/1#1 to 10 \"x\""});
  CHECK(finish(dispatcher, 10, 1) == Lines{"resolve 1/1 \"\"", "acknowledge 10", "dismiss 10"});
  CHECK(dispatcher.on_daemon_left(at(2s), 10, Cause{Cause::Kind::goodbye, ""}).empty());
  CHECK(describe(dispatcher.on_daemon_joined(at(2s), 11)) == Lines{"assign 1/2#1 to 11 \"x\""});
}

TEST_CASE("ephemeral: there are never more processes than allowed, and the next starts when one has gone") {
  Dispatcher dispatcher = ephemeral(2);
  CHECK(submit(dispatcher, 1) == Lines{"launch"});
  CHECK(submit(dispatcher, 2) == Lines{"launch"});
  CHECK(submit(dispatcher, 3).empty());
  dispatcher.on_daemon_joined(at(1s), 10);
  dispatcher.on_daemon_joined(at(1s), 11);
  CHECK(finish(dispatcher, 10, 1).back() == "dismiss 10");

  CHECK(describe(dispatcher.on_daemon_left(at(2s), 10, Cause{Cause::Kind::goodbye, ""})) == Lines{"launch"});
}

TEST_CASE("ephemeral: a limit of zero is a limit of one") {
  Dispatcher dispatcher = ephemeral(0);

  CHECK(submit(dispatcher, 1) == Lines{"launch"});
  CHECK(submit(dispatcher, 2).empty());
}

TEST_CASE("ephemeral: a process that cannot start fails the oldest task, with the cause") {
  Dispatcher dispatcher = ephemeral(1);
  submit(dispatcher, 1);
  submit(dispatcher, 2);

  CHECK(describe(dispatcher.on_launch_failed(
            at(1s), Cause{Cause::Kind::quit, "the R process could not be started: no file"})) ==
        Lines{"resolve 1/1 code 19: the R process could not be started: no file", "launch"});
}

TEST_CASE("ephemeral: a task that is cancelled while its process starts leaves that to the next task") {
  Dispatcher dispatcher = ephemeral(1);
  submit(dispatcher, 1);
  dispatcher.on_cancel(at(0s), 1, 1);

  CHECK(submit(dispatcher, 2).empty());
  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 10)) == Lines{"assign 1/2#1 to 10 \"x\""});
}

TEST_CASE("ephemeral: a process for which no task is left is dismissed, and the count does not drift") {
  Dispatcher dispatcher = ephemeral(1);
  for (DaemonId daemon = 10; daemon < 15; ++daemon) {
    CHECK(submit(dispatcher, 1) == Lines{"launch"});
    dispatcher.on_cancel(at(0s), 1, 1);
    CHECK(describe(dispatcher.on_daemon_joined(at(1s), daemon)) ==
          Lines{"dismiss " + std::to_string(daemon)});
    dispatcher.on_daemon_left(at(1s), daemon, Cause{Cause::Kind::goodbye, ""});
  }
  CHECK(submit(dispatcher, 1) == Lines{"launch"});
  dispatcher.on_cancel(at(0s), 1, 1);
  CHECK(dispatcher.on_launch_failed(at(2s), killed).empty());
  CHECK(submit(dispatcher, 2) == Lines{"launch"});
  CHECK(dispatcher.slots().size() == 1);
}

TEST_CASE("ephemeral: a failed launch that nobody asked for is ignored") {
  Dispatcher dispatcher = ephemeral(1);

  CHECK(dispatcher.on_launch_failed(at(0s), killed).empty());
  CHECK(submit(dispatcher, 1) == Lines{"launch"});
}

TEST_CASE("ephemeral: a task whose process is killed gets another") {
  Dispatcher dispatcher = ephemeral(1);
  submit(dispatcher, 1);
  dispatcher.on_daemon_joined(at(1s), 10);

  CHECK(describe(dispatcher.on_daemon_left(at(2s), 10, killed)) == Lines{"launch"});
  CHECK(describe(dispatcher.on_daemon_joined(at(3s), 11)) == Lines{"assign 1/1#2 to 11 \"x\""});
}

TEST_CASE("ephemeral: everywhere() has nothing to prepare and says so") {
  Dispatcher dispatcher = ephemeral();

  CHECK(describe(dispatcher.on_everywhere(at(0s), 1, make_payload("x"))) ==
        Lines{"tell 1: everywhere() was not run: there are no daemons; each task has a fresh R process of "
              "its own"});
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE(
    "direct: a task that never arrived at a daemon is dealt again before younger ones that wait there go") {
  Dispatcher dispatcher = direct(1);
  submit(dispatcher, 1);
  submit(dispatcher, 2);

  CHECK(describe(dispatcher.on_daemon_resumed(at(1s), 10, std::nullopt)) ==
        Lines{"assign 1/1#2 to 10 \"x\""});
}

TEST_CASE("ephemeral: a process that is leaving by itself is not dismissed") {
  Dispatcher dispatcher = ephemeral(1);
  submit(dispatcher, 1);
  dispatcher.on_daemon_joined(at(1s), 10);
  dispatcher.on_daemon_leaving(at(1s), 10);

  // Its task never arrived there.
  CHECK(dispatcher.on_daemon_resumed(at(2s), 10, std::nullopt).empty());
  CHECK(describe(dispatcher.on_daemon_left(at(3s), 10, Cause{Cause::Kind::goodbye, ""})) == Lines{"launch"});
}
