// Submitting, waiting, finishing, cancelling: what happens on a good day.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

TEST_CASE("a task goes to a free daemon and its answer to the session") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(7, "1 + 1"))) == Lines{"assign 1/7#1 to 10 \"1 + 1\""});
  CHECK(dispatcher.is_busy(10));
  CHECK(describe(dispatcher.on_finished(at(1s), 10, {1, 7}, 1, make_payload("2"), false, false)) ==
        Lines{"resolve 1/7 \"2\"", "acknowledge 10"});

  CHECK_FALSE(dispatcher.is_busy(10));
  CHECK(dispatcher.unresolved() == 0);
}

TEST_CASE("an answer that is an error value is passed on as such") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(7));

  Sends sends = dispatcher.on_finished(at(1s), 10, {1, 7}, 1, make_payload("Error: no"), true, false);

  CHECK(describe(sends) == Lines{"resolve 1/7 failed \"Error: no\"", "acknowledge 10"});
}

TEST_CASE("the label of a task travels with it") {
  Dispatcher dispatcher = with_daemons(1);
  Submit submit = task(7);
  submit.label = "fit";

  CHECK(describe(dispatcher.on_submit(at(0s), 1, submit)) == Lines{"assign 1/7#1 to 10 \"x\" labelled fit"});
}

TEST_CASE("of several free daemons the one on the lowest slot is taken") {
  Dispatcher dispatcher = with_daemons(3);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));
  dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, false);

  CHECK(describe(dispatcher.on_submit(at(1s), 1, task(3))) == Lines{"assign 1/3#1 to 10 \"x\""});
}

TEST_CASE("tasks wait in the order in which they were submitted, over all sessions") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_session_joined(at(0s), 2);
  dispatcher.on_submit(at(0s), 1, task(5));
  dispatcher.on_submit(at(0s), 2, task(9));
  dispatcher.on_submit(at(0s), 1, task(4));
  dispatcher.on_submit(at(0s), 2, task(1));
  CHECK(dispatcher.queued() == 3);

  auto finish = [&](TaskKey key) {
    return describe(dispatcher.on_finished(at(1s), 10, key, 1, {}, false, false));
  };

  CHECK(finish({1, 5}) == Lines{"resolve 1/5 \"\"", "assign 2/9#1 to 10 \"x\""});
  CHECK(finish({2, 9}) == Lines{"resolve 2/9 \"\"", "assign 1/4#1 to 10 \"x\""});
  CHECK(finish({1, 4}) == Lines{"resolve 1/4 \"\"", "assign 2/1#1 to 10 \"x\""});
  CHECK(finish({2, 1}) == Lines{"resolve 2/1 \"\"", "acknowledge 10"});
}

TEST_CASE("tasks wait for the first daemon") {
  Dispatcher dispatcher(Rules{}, 2);
  dispatcher.on_session_joined(at(0s), 1);

  CHECK(dispatcher.on_submit(at(0s), 1, task(1)).empty());
  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 10, 1)) == Lines{"assign 1/1#1 to 10 \"x\""});
}

TEST_CASE("a number that is in use is not taken a second time") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(1))) ==
        Lines{"tell 1: task 1 was submitted again before it was resolved; that was ignored"});
  CHECK(dispatcher.unresolved() == 1);
}

TEST_CASE("the numbers of everywhere() are not for sessions") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(everywhere_bit | 1))) ==
        Lines{"resolve 1/9223372036854775809 code 20: task numbers from 2^63 on are not for sessions"});
}

TEST_CASE("a session that has not joined is ignored") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(dispatcher.on_submit(at(0s), 5, task(1)).empty());
  CHECK(dispatcher.on_everywhere(at(0s), 5, make_payload("x")).empty());
  CHECK(dispatcher.on_cancel(at(0s), 5, 1).empty());
  CHECK(dispatcher.on_session_left(at(0s), 5).empty());
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE("a cancelled task never reaches a daemon") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));

  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 2)) ==
        Lines{"resolve 1/2 code 20: cancelled while it waited for a daemon"});

  CHECK(describe(dispatcher.on_finished(at(2s), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 10"});
}

TEST_CASE(
    "a task that is cancelled while it runs resolves at once and its daemon stays busy until it answers") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 1)) ==
        Lines{"resolve 1/1 code 20: cancelled while it ran on daemon 1", "interrupt 1/1#1 on 10"});
  CHECK(dispatcher.is_busy(10));
  CHECK(dispatcher.slots()[0].busy);
  CHECK(dispatcher.memory() == 0);
  CHECK(dispatcher.on_submit(at(1s), 1, task(2)).empty());

  CHECK(describe(dispatcher.on_finished(at(2s), 10, {1, 1}, 1, make_payload("late"), false, false)) ==
        Lines{"assign 1/2#1 to 10 \"x\""});
  CHECK(dispatcher.violations() == 0);
  CHECK(dispatcher.slots()[0].complete == 1);
}

TEST_CASE("cancelling what is not there does nothing") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_cancel(at(0s), 1, 1);

  CHECK(dispatcher.on_cancel(at(0s), 1, 1).empty());
  CHECK(dispatcher.on_cancel(at(0s), 1, 99).empty());
}

TEST_CASE("a task can be submitted again under its number after it was cancelled") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1, "old"));
  dispatcher.on_cancel(at(0s), 1, 1);
  dispatcher.on_submit(at(0s), 1, task(1, "new"));

  // This answers the old one.
  CHECK(describe(dispatcher.on_finished(at(1s), 10, {1, 1}, 1, make_payload("old"), false, false)) ==
        Lines{"assign 1/1#1 to 10 \"new\""});
}

TEST_CASE("a task whose time is over resolves to timed_out, waiting or running") {
  Dispatcher dispatcher = with_daemons(1);
  Submit running = task(1);
  running.timeout = 500ms;
  Submit waiting = task(2);
  waiting.timeout = 200ms;
  dispatcher.on_submit(at(0s), 1, running);
  dispatcher.on_submit(at(0s), 1, waiting);

  CHECK(dispatcher.next_timer() == at(200ms));
  CHECK(dispatcher.on_timer(at(199ms)).empty());
  CHECK(describe(dispatcher.on_timer(at(200ms))) ==
        Lines{"resolve 1/2 code 5: not answered within 200 ms; that ended while it waited for a daemon"});
  CHECK(dispatcher.next_timer() == at(500ms));
  CHECK(describe(dispatcher.on_timer(at(600ms))) ==
        Lines{"resolve 1/1 code 5: not answered within 500 ms; that ended while it ran on daemon 1",
              "interrupt 1/1#1 on 10"});
  CHECK_FALSE(dispatcher.next_timer());
}

TEST_CASE("a task that is answered in time leaves no timer behind") {
  Dispatcher dispatcher = with_daemons(1);
  Submit submit = task(1);
  submit.timeout = 500ms;
  dispatcher.on_submit(at(0s), 1, submit);

  dispatcher.on_finished(at(100ms), 10, {1, 1}, 1, {}, false, false);

  CHECK_FALSE(dispatcher.next_timer());
}

TEST_CASE("absurd time-outs are bounded, not overflowed") {
  Dispatcher dispatcher = with_daemons(1);
  Submit longest = task(1);
  longest.timeout = std::chrono::milliseconds::max();
  Submit negative = task(2);
  negative.timeout = std::chrono::milliseconds::min();

  dispatcher.on_submit(at(1h), 1, longest);
  CHECK(*dispatcher.next_timer() > at(24h * 365));
  dispatcher.on_submit(at(1h), 1, negative);
  CHECK(dispatcher.next_timer() == at(1h));
}

TEST_CASE("a daemon that does not obey an interruption is ended, when the rules say so") {
  Rules rules;
  rules.kill_after = 3s;
  Dispatcher dispatcher = with_daemons(1, rules);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_cancel(at(1s), 1, 1);

  CHECK(dispatcher.next_timer() == at(4s));
  CHECK(describe(dispatcher.on_timer(at(4s))) == Lines{"kill 10"});
  CHECK_FALSE(dispatcher.next_timer());

  CHECK(dispatcher.on_daemon_left(at(5s), 10, cause_of_signal(9, false)).empty());
  CHECK(dispatcher.online() == 0);
}

TEST_CASE("a daemon that obeys an interruption is not ended") {
  Rules rules;
  rules.kill_after = 3s;
  Dispatcher dispatcher = with_daemons(1, rules);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_cancel(at(1s), 1, 1);

  dispatcher.on_finished(at(2s), 10, {1, 1}, 1, {}, true, false);

  CHECK_FALSE(dispatcher.next_timer());
  CHECK(dispatcher.on_timer(at(9s)).empty());
}

TEST_CASE("a second answer is counted and ignored") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, false);

  CHECK(dispatcher.on_finished(at(1s), 10, {1, 1}, 1, {}, false, false).empty());

  CHECK(dispatcher.violations() == 1);
  CHECK(dispatcher.violations(10) == 1);
  CHECK(dispatcher.slots()[0].complete == 1);
}

TEST_CASE("an answer to a task of another daemon, or from nobody, is counted and ignored") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(dispatcher.on_finished(at(1s), 11, {1, 1}, 1, {}, false, true).empty());
  CHECK(dispatcher.on_finished(at(1s), 10, {1, 1}, 2, {}, false, false).empty());
  CHECK(dispatcher.on_finished(at(1s), 99, {1, 1}, 1, {}, false, false).empty());

  CHECK(dispatcher.violations() == 3);
  CHECK(dispatcher.violations(11) == 1);
  CHECK(dispatcher.violations(99) == 0);
  CHECK(dispatcher.unresolved() == 1);
  CHECK(describe(dispatcher.on_submit(at(2s), 1, task(2))) == Lines{"assign 1/2#1 to 11 \"x\""});
}

TEST_CASE("when a session leaves, its tasks are dropped or interrupted and nothing is resolved") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_session_joined(at(0s), 2);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));
  dispatcher.on_submit(at(0s), 2, task(1));

  CHECK(describe(dispatcher.on_session_left(at(1s), 1)) == Lines{"interrupt 1/1#1 on 10"});

  CHECK(dispatcher.unresolved() == 1);
  CHECK(describe(dispatcher.on_finished(at(2s), 10, {1, 1}, 1, {}, false, false)) ==
        Lines{"assign 2/1#1 to 10 \"x\""});
}

TEST_CASE("a file that several tasks share counts once, until the last of them has resolved") {
  Dispatcher dispatcher = with_daemons(1);
  Payload file = make_payload(std::string(1000, 'f'));
  auto sharing = [&](std::uint64_t number) {
    Submit submit;
    submit.task = number;
    submit.payload = std::make_shared<const Bytes>(Bytes::with_blocks(make_payload("own"), {{file, 0, 10}}));
    return submit;
  };

  dispatcher.on_submit(at(0s), 1, sharing(1));
  dispatcher.on_submit(at(0s), 1, sharing(2));
  CHECK(dispatcher.memory() == 1006);
  dispatcher.on_finished(at(1s), 10, {1, 1}, 1, make_payload("1"), false, false);
  CHECK(dispatcher.memory() == 1003);
  dispatcher.on_finished(at(2s), 10, {1, 2}, 1, make_payload("2"), false, false);

  CHECK(dispatcher.memory() == 0);
  CHECK(file.use_count() == 1);
}

TEST_CASE("a task is retried with the blocks that it shares with others") {
  Dispatcher dispatcher = with_daemons(2);
  Payload file = make_payload("file");
  Submit submit = task(7);
  submit.payload = std::make_shared<const Bytes>(Bytes::with_blocks(make_payload("own"), {{file, 0, 4}}));
  dispatcher.on_submit(at(0s), 1, submit);

  Sends sends = dispatcher.on_daemon_left(at(1s), 10, Cause{Cause::Kind::lost, "is gone"});

  REQUIRE(sends.size() == 1);
  const auto* again = std::get_if<Assign>(&sends[0]);
  REQUIRE(again != nullptr);
  CHECK(again->attempt == 2);
  CHECK(again->payload == submit.payload);
}

TEST_CASE("a task that shares blocks is taken where only its own bytes still fit") {
  Rules rules;
  rules.memory_limit = 1010;
  Dispatcher dispatcher = with_daemons(1, rules);
  Payload file = make_payload(std::string(1000, 'f'));
  Submit first = task(1), second = task(2), third = task(3);
  for (Submit* each : {&first, &second, &third})
    each->payload = std::make_shared<const Bytes>(Bytes::with_blocks(make_payload("own!"), {{file, 0, 10}}));

  dispatcher.on_submit(at(0s), 1, first);
  CHECK(dispatcher.on_submit(at(0s), 1, second).empty());
  CHECK(describe(dispatcher.on_submit(at(0s), 1, third)).front().find("the task was not taken") !=
        std::string::npos);
}
