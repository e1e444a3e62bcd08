// What status() shows, saisei(), and how much is held in memory.
#include <csignal>
#include <cstdint>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

const Cause killed = cause_of_signal(SIGKILL, false);

Rules with_limit(std::uint64_t bytes) {
  Rules rules;
  rules.memory_limit = bytes;
  return rules;
}

}  // namespace

TEST_CASE("a slot counts what was assigned and what was completed, over all daemons it had") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_finished(at(0s), 10, {1, 1}, 1, {}, false, false);
  dispatcher.on_submit(at(0s), 1, task(2));

  CHECK(dispatcher.slots()[0].assigned == 2);
  CHECK(dispatcher.slots()[0].complete == 1);
  CHECK(dispatcher.slots()[0].busy);

  dispatcher.on_daemon_left(at(1s), 10, killed);
  CHECK_FALSE(dispatcher.slots()[0].busy);
  CHECK_FALSE(dispatcher.slots()[0].online);
  dispatcher.on_daemon_joined(at(2s), 11, 0);
  CHECK(dispatcher.slots()[0].assigned == 3);
  CHECK(dispatcher.slots()[0].complete == 1);
}

TEST_CASE("a time-out leaves one more assigned than complete until the daemon answers") {
  Dispatcher dispatcher = with_daemons(1);
  Submit submit = task(1);
  submit.timeout = 1s;
  dispatcher.on_submit(at(0s), 1, submit);
  dispatcher.on_timer(at(1s));

  CHECK(dispatcher.slots()[0].complete == 0);
  dispatcher.on_finished(at(2s), 10, {1, 1}, 1, {}, true, false);
  CHECK(dispatcher.slots()[0].complete == 1);
}

TEST_CASE("an instance is a connection, negative after saisei() until the next") {
  Dispatcher dispatcher(Rules{}, 2);
  auto instance = [&] { return dispatcher.slots()[0].instance; };
  CHECK(instance() == 0);
  dispatcher.on_daemon_joined(at(0s), 10, 0);
  CHECK(instance() == 1);
  dispatcher.on_daemon_left(at(0s), 10, killed);
  CHECK(instance() == 1);
  dispatcher.on_daemon_joined(at(0s), 11, 0);
  CHECK(instance() == 2);

  dispatcher.regenerate(at(0s), 0);
  CHECK(instance() == -2);
  dispatcher.regenerate(at(0s), 0);
  CHECK(instance() == -2);
  dispatcher.on_daemon_joined(at(0s), 12, 0);
  CHECK(instance() == 3);

  dispatcher.regenerate(at(0s), 1);
  CHECK(dispatcher.slots()[1].instance == 0);
}

TEST_CASE(
    "saisei() forgets the daemon that is there; what it ran resolves to closed and counts as complete") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.regenerate(at(1s), 0)) ==
        Lines{"resolve 1/1 code 7: daemon 1 was given a new URL while it ran this task"});

  CHECK(dispatcher.slots()[0].complete == 1);
  CHECK_FALSE(dispatcher.slots()[0].online);
  CHECK_FALSE(dispatcher.slot_of(10));
  CHECK(dispatcher.online() == 0);
  CHECK(dispatcher.on_finished(at(2s), 10, {1, 1}, 1, {}, false, false).empty());
  CHECK(dispatcher.on_daemon_left(at(2s), 10, killed).empty());
}

TEST_CASE("saisei() of a slot that is not there does nothing") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(dispatcher.regenerate(at(0s), 1).empty());
  CHECK(dispatcher.slots()[0].online);
}

TEST_CASE("a daemon for a slot that is taken, or not there, is dismissed and unknown") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(describe(dispatcher.on_daemon_joined(at(0s), 20, 0)) == Lines{"dismiss 20"});
  CHECK(describe(dispatcher.on_daemon_joined(at(0s), 21, 5)) == Lines{"dismiss 21"});
  CHECK(dispatcher.online() == 1);
  CHECK(dispatcher.slots()[0].instance == 1);
  CHECK_FALSE(dispatcher.slot_of(20));
}

TEST_CASE("memory is held until a task is resolved, and for everywhere() until its session leaves") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1, "12345"));
  dispatcher.on_submit(at(0s), 1, task(2, "123"));
  dispatcher.on_everywhere(at(0s), 1, make_payload("12"));
  CHECK(dispatcher.memory() == 10);

  dispatcher.on_finished(at(1s), 10, {1, 1}, 1, make_payload("the answer is not counted"), false, false);
  CHECK(dispatcher.memory() == 5);
  dispatcher.on_cancel(at(1s), 1, 2);
  CHECK(dispatcher.memory() == 2);
  dispatcher.on_session_left(at(1s), 1);
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE("the most memory that was held is known afterwards") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1, "12345"));
  dispatcher.on_everywhere(at(0s), 1, make_payload("12"));
  dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, false);
  dispatcher.on_submit(at(1s), 1, task(2, "1"));

  CHECK(dispatcher.memory() == 3);
  CHECK(dispatcher.peak_memory() == 7);
}

TEST_CASE("the payload of a task that resolved is let go, not only discounted") {
  Dispatcher dispatcher = with_daemons(1);
  Payload payload = make_payload("big");
  Submit submit;
  submit.payload = payload;
  {
    Sends sends = dispatcher.on_submit(at(0s), 1, submit);
    submit.payload = nullptr;
    CHECK(payload.use_count() == 3);  // here, in the dispatcher, on its way
  }
  CHECK(payload.use_count() == 2);

  dispatcher.on_cancel(at(0s), 1, 0);

  CHECK(payload.use_count() == 1);
}

TEST_CASE("what does not fit into memory resolves to out_of_memory, naming the numbers") {
  Dispatcher dispatcher = with_daemons(0, with_limit(10));
  dispatcher.on_submit(at(0s), 1, task(1, "1234567"));
  dispatcher.on_submit(at(0s), 1, task(2, "123"));

  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(3, "1"))) ==
        Lines{"resolve 1/3 code 2: the task was not taken: its 1 bytes and the 10 bytes held already exceed "
              "the memory limit of 10 bytes; submit it when some of that has resolved, or raise the limit"});
  CHECK(dispatcher.unresolved() == 2);
  CHECK(dispatcher.memory() == 10);
  CHECK(dispatcher.on_submit(at(0s), 1, task(4, "")).empty());
}

TEST_CASE("a task that is alone is taken whatever its size") {
  Dispatcher dispatcher = with_daemons(0, with_limit(3));

  CHECK(dispatcher.on_submit(at(0s), 1, task(1, "12345")).empty());
  CHECK(dispatcher.on_submit(at(0s), 1, task(2, "1")).size() == 1);
  dispatcher.on_cancel(at(0s), 1, 1);
  CHECK(dispatcher.on_submit(at(0s), 1, task(3, "1")).empty());
}
