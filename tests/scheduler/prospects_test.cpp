// What is told, and what becomes of tasks, where no daemon is here.
#include <csignal>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

const Cause killed = cause_of_signal(SIGKILL, false);
const Prospects coming{Prospects::Kind::coming, {}};
const Prospects open_to_all{Prospects::Kind::open, {}};
const Prospects none{Prospects::Kind::none, "launch 2 has failed: no such host"};

Rules with_patience() {
  Rules rules;
  rules.patience = 600s;
  return rules;
}

}  // namespace

TEST_CASE("where another daemon is coming there is nothing to tell") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_prospects(at(0s), coming);
  dispatcher.on_daemon_left(at(1s), 10, killed);

  CHECK(dispatcher.on_submit(at(2s), 1, task(1)).empty());
}

TEST_CASE("what waits is told once that no daemon can come, and why") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_prospects(at(0s), coming);
  dispatcher.on_daemon_left(at(1s), 10, killed);
  dispatcher.on_submit(at(2s), 1, task(1));

  CHECK(describe(dispatcher.on_prospects(at(3s), none)) ==
        Lines{"tell 1: no daemon is left: daemon 1 was killed by signal 9 (SIGKILL); tasks wait until one "
              "joins, launch_local(1) starts one here, launch_remote() one elsewhere"});
  CHECK(dispatcher.on_prospects(at(4s), none).empty());
  CHECK(dispatcher.on_submit(at(4s), 1, task(2)).empty());
  CHECK_FALSE(dispatcher.next_timer());
}

TEST_CASE("where no daemon has ever come, the last launch is told") {
  Dispatcher dispatcher(Rules{}, 1);
  dispatcher.on_session_joined(at({}), 1);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_prospects(at(3s), none)) ==
        Lines{"tell 1: no daemon is coming: launch 2 has failed: no such host; tasks wait until one joins, "
              "launch_local(1) starts one here, launch_remote() one elsewhere"});
}

TEST_CASE("where nobody has come yet and somebody may, that is told once, after five seconds") {
  Dispatcher dispatcher(Rules{}, 1);
  dispatcher.on_session_joined(at({}), 1);
  CHECK(dispatcher.on_submit(at(1s), 1, task(1)).empty());
  CHECK(dispatcher.next_timer() == at(6s));
  CHECK(dispatcher.on_submit(at(3s), 1, task(2)).empty());

  CHECK(
      describe(dispatcher.on_timer(at(6s))) ==
      Lines{"tell 1: no daemon has joined yet; tasks wait until one joins, launch_local(1) starts one here, "
            "launch_remote() one elsewhere"});
  CHECK_FALSE(dispatcher.next_timer());
  CHECK(dispatcher.on_submit(at(7s), 1, task(3)).empty());
  CHECK_FALSE(dispatcher.next_timer());
}

TEST_CASE("a daemon that comes, or is coming, is nothing to tell") {
  for (bool joins : {true, false}) {
    Dispatcher dispatcher(Rules{}, 1);
    dispatcher.on_session_joined(at({}), 1);
    dispatcher.on_submit(at(1s), 1, task(1));
    REQUIRE(dispatcher.next_timer());

    if (joins) dispatcher.on_daemon_joined(at(2s), 10, 0);
    else dispatcher.on_prospects(at(2s), coming);

    CHECK_FALSE(dispatcher.next_timer());
  }
}

TEST_CASE("with patience what waits resolves when no daemon has come for so long") {
  Dispatcher dispatcher = with_daemons(1, with_patience());
  dispatcher.on_daemon_left(at(1s), 10, killed);
  dispatcher.on_prospects(at(1s), none);
  CHECK_FALSE(dispatcher.next_timer());

  Lines told = describe(dispatcher.on_submit(at(2s), 1, task(1)));
  REQUIRE(told.size() == 1);
  CHECK(told[0].ends_with(
      ". Those that still wait in 600 s (daemons(patience =)) resolve to an error value 19"));
  dispatcher.on_submit(at(300s), 1, task(2));
  CHECK(dispatcher.next_timer() == at(602s));
  CHECK(dispatcher.on_timer(at(601s)).empty());
  CHECK(
      describe(dispatcher.on_timer(at(602s))) ==
      Lines{"resolve 1/1 code 19: no daemon has come for 600 s: daemon 1 was killed by signal 9 (SIGKILL)",
            "resolve 1/2 code 19: no daemon has come for 600 s: daemon 1 was killed by signal 9 (SIGKILL)"});
  CHECK_FALSE(dispatcher.next_timer());

  CHECK(describe(dispatcher.on_submit(at(700s), 1, task(3))).size() == 1);
  CHECK(dispatcher.next_timer() == at(1300s));
}

TEST_CASE("a daemon that joins, or may, ends the wait that has an end") {
  for (bool joins : {true, false}) {
    Dispatcher dispatcher = with_daemons(1, with_patience());
    dispatcher.on_daemon_left(at(1s), 10, killed);
    dispatcher.on_prospects(at(1s), none);
    dispatcher.on_submit(at(2s), 1, task(1));
    REQUIRE(dispatcher.next_timer());

    if (joins) dispatcher.on_daemon_joined(at(3s), 11, 0);
    else dispatcher.on_prospects(at(3s), open_to_all);

    CHECK_FALSE(dispatcher.next_timer());
  }
}

TEST_CASE("what is submitted later has all of the patience") {
  Dispatcher dispatcher = with_daemons(1, with_patience());
  dispatcher.on_daemon_left(at(0s), 10, killed);
  dispatcher.on_prospects(at(0s), none);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_cancel(at(500s), 1, 1);
  dispatcher.on_submit(at(500s), 1, task(2));

  CHECK(dispatcher.next_timer() == at(1100s));
}

TEST_CASE("tasks that are dealt out are told too that nobody is left") {
  Rules rules = with_patience();
  rules.policy = Policy::direct;
  Dispatcher dispatcher = with_daemons(1, rules);
  dispatcher.on_daemon_left(at(1s), 10, killed);

  CHECK(describe(dispatcher.on_submit(at(2s), 1, task(1))).size() == 1);
  CHECK(dispatcher.on_prospects(at(3s), none).empty());
  CHECK(dispatcher.next_timer() == at(603s));
}
