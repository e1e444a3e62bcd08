// Daemons whose jobs end, and tasks that say how long they may take.
#include "scheduler/drain.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/task_queue.h"
#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

// A session, and daemons 10, 11, ... whose jobs last so long.
Dispatcher with_jobs(std::vector<std::chrono::milliseconds> left, Rules rules = {}) {
  Dispatcher dispatcher(rules, left.size());
  dispatcher.on_session_joined(at(0s), 1);
  for (std::size_t slot = 0; slot < left.size(); ++slot)
    dispatcher.on_daemon_joined(at(0s), 10 + slot, slot, left[slot]);
  return dispatcher;
}

Submit long_task(std::uint64_t number, std::chrono::milliseconds request) {
  Submit submit = task(number);
  submit.time_request = request;
  return submit;
}

Lines finish(Dispatcher& dispatcher, Time now, DaemonId daemon, std::uint64_t number) {
  return describe(dispatcher.on_finished(now, daemon, {1, number}, 1, {}, false, false));
}

}  // namespace

TEST_CASE("towards the end of a job a drain begins, and later comes its deadline") {
  auto from = [](std::chrono::seconds left) {
    Drain drain = Drain::in(at(0s), left);
    return std::pair(drain.begin - at(0s), drain.deadline - at(0s));
  };
  CHECK(from(0s) == std::pair<Time::duration, Time::duration>(0s, 0s));
  CHECK(from(60s) == std::pair<Time::duration, Time::duration>(54s, 57s));
  CHECK(from(600s) == std::pair<Time::duration, Time::duration>(540s, 595s));
  CHECK(from(86400s) == std::pair<Time::duration, Time::duration>(86340s, 86395s));
}

TEST_CASE("a daemon gets nothing new in the last seconds of its job, and goes when it has nothing to do") {
  Dispatcher dispatcher = with_jobs({60s, 600s});
  dispatcher.on_submit(at(1s), 1, task(1));
  CHECK(*dispatcher.next_timer() == at(54s));
  CHECK(describe(dispatcher.on_timer(at(54s))).empty());
  dispatcher.on_submit(at(55s), 1, task(2));
  CHECK(describe(dispatcher.on_submit(at(55s), 1, task(3))).empty());
  CHECK(finish(dispatcher, at(56s), 10, 1) == Lines{"resolve 1/1 \"\"", "acknowledge 10", "dismiss 10"});
  CHECK(describe(dispatcher.on_timer(at(57s))).empty());
  CHECK(finish(dispatcher, at(58s), 11, 2) == Lines{"resolve 1/2 \"\"", "assign 1/3#1 to 11 \"x\""});
}

TEST_CASE("a daemon without a task goes when its drain begins") {
  Dispatcher dispatcher = with_jobs({60s});
  CHECK(describe(dispatcher.on_timer(at(54s))) == Lines{"dismiss 10"});
  CHECK(describe(dispatcher.on_timer(at(57s))).empty());
  CHECK(describe(dispatcher.on_submit(at(58s), 1, task(1))).empty());
}

TEST_CASE("a daemon that hears early that its job ends does what it has, and goes") {
  Dispatcher dispatcher = with_jobs({600s, 600s});
  dispatcher.on_submit(at(1s), 1, task(1));
  CHECK(describe(dispatcher.on_drain(at(2s), {10})).empty());
  CHECK(describe(dispatcher.on_drain(at(2s), {11})) == Lines{"dismiss 11"});
  CHECK(describe(dispatcher.on_submit(at(3s), 1, task(2))).empty());
  CHECK(*dispatcher.next_timer() == at(595s));
  CHECK(finish(dispatcher, at(4s), 10, 1) == Lines{"resolve 1/1 \"\"", "acknowledge 10", "dismiss 10"});
  dispatcher.on_daemon_left(at(5s), 10, {Cause::Kind::goodbye, "said goodbye"});
  CHECK(describe(dispatcher.on_daemon_joined(at(6s), 12, 0)) == Lines{"assign 1/2#1 to 12 \"x\""});
}

TEST_CASE("what it does is still handed back, where the end is known") {
  Dispatcher dispatcher = with_jobs({60s, 600s});
  dispatcher.on_submit(at(1s), 1, task(1));
  dispatcher.on_drain(at(2s), {10});
  CHECK(describe(dispatcher.on_timer(at(57s))) == Lines{"hand back 10"});
}

TEST_CASE("without a known end, it may take its time") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_submit(at(1s), 1, task(1));
  CHECK(describe(dispatcher.on_drain(at(2s), {10})).empty());
  CHECK(!dispatcher.next_timer());
  CHECK(finish(dispatcher, at(9999s), 10, 1).back() == "dismiss 10");
}

TEST_CASE("a drain that is told again, or of nobody, changes nothing") {
  Dispatcher dispatcher = with_daemons(1);
  CHECK(describe(dispatcher.on_drain(at(2s), {10, 99})) == Lines{"dismiss 10"});
  CHECK(dispatcher.on_drain(at(3s), {10}).empty());
  CHECK(dispatcher.on_drain(at(4s), {}).empty());
}

TEST_CASE("one that is not needed does what it has, and goes") {
  Dispatcher dispatcher = with_daemons(2);
  dispatcher.on_submit(at(1s), 1, task(1));
  CHECK(describe(dispatcher.on_unneeded(at(2s), {0, 1, 2})) == Lines{"dismiss 11"});
  CHECK(dispatcher.on_submit(at(3s), 1, task(2)).empty());
  CHECK(finish(dispatcher, at(4s), 10, 1) == Lines{"resolve 1/1 \"\"", "acknowledge 10", "dismiss 10"});
}

TEST_CASE("one that was cut off when it was sent away is sent away when it is back") {
  Dispatcher dispatcher = with_daemons(2);
  for (DaemonId daemon : {10, 11}) dispatcher.on_daemon_suspect(at(1s), daemon);
  CHECK(describe(dispatcher.on_unneeded(at(2s), {0})) == Lines{"dismiss 10"});
  CHECK(describe(dispatcher.on_daemon_resumed(at(3s), 10, std::nullopt)) == Lines{"dismiss 10"});
  CHECK(describe(dispatcher.on_drain(at(2s), {11})) == Lines{"dismiss 11"});
  CHECK(describe(dispatcher.on_daemon_resumed(at(3s), 11, std::nullopt)) == Lines{"dismiss 11"});
}

TEST_CASE("all daemons of a job drain before anything is handed on") {
  Rules rules;
  rules.policy = Policy::direct;
  Dispatcher dispatcher = with_jobs({600s, 600s, 600s}, rules);
  for (std::uint64_t number = 1; number <= 4; ++number) dispatcher.on_submit(at(0s), 1, task(number));
  finish(dispatcher, at(1s), 11, 2);
  finish(dispatcher, at(1s), 12, 3);
  // The fourth waits behind the first, and 11 is of the same job.
  CHECK(describe(dispatcher.on_drain(at(2s), {10, 11})) == Lines{"dismiss 11", "assign 1/4#1 to 12 \"x\""});
}

TEST_CASE("when a drain begins, what waits for the daemon goes to others") {
  Rules rules;
  rules.policy = Policy::direct;
  Dispatcher dispatcher = with_jobs({600s, 600s}, rules);
  for (std::uint64_t number = 1; number <= 3; ++number) dispatcher.on_submit(at(0s), 1, task(number));
  dispatcher.on_drain(at(1s), {10});
  CHECK(finish(dispatcher, at(2s), 11, 2).back() == "assign 1/3#1 to 11 \"x\"");
}

TEST_CASE("a task that is not done shortly before its job ends is taken away and tried elsewhere") {
  Dispatcher dispatcher = with_jobs({60s, 600s});
  dispatcher.on_submit(at(1s), 1, task(1));
  dispatcher.on_timer(at(54s));
  CHECK(*dispatcher.next_timer() == at(57s));
  CHECK(describe(dispatcher.on_timer(at(57s))) == Lines{"hand back 10"});
  CHECK(describe(dispatcher.on_daemon_left(at(57s), 10, {Cause::Kind::time_limit, "had no time left"})) ==
        Lines{"assign 1/1#2 to 11 \"x\""});
  CHECK(*dispatcher.next_timer() == at(540s));
}

TEST_CASE("one that comes when its job is over already is sent away") {
  Dispatcher dispatcher(Rules(), 1);
  dispatcher.on_session_joined(at(0s), 1);
  CHECK(describe(dispatcher.on_daemon_joined(at(0s), 10, 0, 0s)) == Lines{"dismiss 10"});
  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(1))).empty());
  CHECK(describe(dispatcher.on_timer(at(0s))).empty());
  CHECK(!dispatcher.next_timer());
}

TEST_CASE("a task is not started where it cannot finish, and those behind it do not wait for it") {
  Dispatcher dispatcher = with_jobs({100s, 1000s});
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_submit(at(0s), 1, task(2));
  dispatcher.on_submit(at(1s), 1, long_task(3, 200s));
  dispatcher.on_submit(at(1s), 1, long_task(4, 50s));
  CHECK(finish(dispatcher, at(2s), 10, 1).back() == "assign 1/4#1 to 10 \"x\"");
  CHECK(finish(dispatcher, at(3s), 11, 2).back() == "assign 1/3#1 to 11 \"x\"");
}

TEST_CASE("a task that fits nowhere waits, while daemons are free, for one that lasts longer") {
  Dispatcher dispatcher = with_jobs({100s, 100s, 1000s});
  dispatcher.on_daemon_left(at(0s), 12, {Cause::Kind::goodbye, "said goodbye"});
  CHECK(describe(dispatcher.on_submit(at(1s), 1, long_task(1, 300s))).empty());
  CHECK(describe(dispatcher.on_submit(at(1s), 1, task(2))) == Lines{"assign 1/2#1 to 10 \"x\""});
  CHECK(describe(dispatcher.on_submit(at(1s), 1, long_task(3, 80s))) == Lines{"assign 1/3#1 to 11 \"x\""});
  CHECK(describe(dispatcher.on_daemon_joined(at(2s), 12, 2, 1000s)) == Lines{"assign 1/1#1 to 12 \"x\""});
}

TEST_CASE("a time request counts where the job has just that long, to the moment of handing back") {
  Dispatcher dispatcher = with_jobs({1000s});
  CHECK(describe(dispatcher.on_submit(at(0s), 1, long_task(1, 996s)))
            .front()
            .starts_with("tell 1: a task asks "));
  CHECK(describe(dispatcher.on_submit(at(0s), 1, long_task(2, 960s))) == Lines{"assign 1/2#1 to 10 \"x\""});
}

TEST_CASE("a daemon whose job has no end takes whatever is asked") {
  Dispatcher dispatcher = with_daemons(1);
  CHECK(describe(dispatcher.on_submit(at(0s), 1, long_task(1, std::chrono::milliseconds::max()))) ==
        Lines{"assign 1/1#1 to 10 \"x\""});
}

TEST_CASE("tasks dealt to a daemon that has no time for them any more go to others") {
  Rules rules;
  rules.policy = Policy::direct;
  Dispatcher dispatcher = with_jobs({100s, 1000s}, rules);
  dispatcher.on_submit(at(0s), 1, task(1));             // to 10
  dispatcher.on_submit(at(0s), 1, task(2));             // to 11
  dispatcher.on_submit(at(0s), 1, long_task(3, 80s));   // to 10, behind the first
  dispatcher.on_submit(at(0s), 1, long_task(4, 300s));  // only 11 has as long
  CHECK(finish(dispatcher, at(30s), 11, 2).back() == "assign 1/4#1 to 11 \"x\"");
  CHECK(finish(dispatcher, at(40s), 10, 1) == Lines{"resolve 1/1 \"\"", "acknowledge 10"});
  CHECK(finish(dispatcher, at(50s), 11, 4).back() == "assign 1/3#1 to 11 \"x\"");
  CHECK(dispatcher.queued() == 0);
}

TEST_CASE("tasks that wait for a daemon are dealt to others when its drain begins") {
  Rules rules;
  rules.policy = Policy::direct;
  Dispatcher dispatcher = with_jobs({60s, 600s}, rules);
  for (std::uint64_t number = 1; number <= 4; ++number) dispatcher.on_submit(at(0s), 1, task(number));
  dispatcher.on_timer(at(54s));
  CHECK(finish(dispatcher, at(55s), 10, 1).back() == "dismiss 10");
  CHECK(finish(dispatcher, at(56s), 11, 2).back() == "assign 1/3#1 to 11 \"x\"");
  CHECK(finish(dispatcher, at(57s), 11, 3).back() == "assign 1/4#1 to 11 \"x\"");
}

TEST_CASE("what waits for a daemon is not given to another that begins to drain at the same time") {
  Rules rules;
  rules.policy = Policy::direct;
  Dispatcher dispatcher = with_jobs({60s, 60s, 600s}, rules);
  for (std::uint64_t number = 1; number <= 4; ++number) dispatcher.on_submit(at(0s), 1, task(number));
  finish(dispatcher, at(1s), 11, 2);
  finish(dispatcher, at(1s), 12, 3);

  CHECK(describe(dispatcher.on_timer(at(54s))) == Lines{"dismiss 11", "assign 1/4#1 to 12 \"x\""});
}

TEST_CASE("a task that fits nowhere can be cancelled and times out like any other") {
  Dispatcher dispatcher = with_jobs({100s});
  dispatcher.on_submit(at(0s), 1, long_task(1, 300s));
  Submit timed = long_task(2, 300s);
  timed.timeout = 5s;
  dispatcher.on_submit(at(0s), 1, timed);
  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 1)).front() ==
        "resolve 1/1 code 20: cancelled while it waited for a daemon");
  CHECK(describe(dispatcher.on_timer(at(5s))).size() == 1);
  CHECK(dispatcher.queued() == 0);
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE("time requests fall into few groups and are never made shorter") {
  std::set<std::chrono::milliseconds> groups;
  for (std::int64_t wanted = 0; wanted < 100'000'000; wanted = wanted + 1 + wanted / 50) {
    auto kept = rounded_request(std::chrono::milliseconds(wanted));
    CHECK(kept.count() >= wanted);
    CHECK(kept.count() <= wanted + wanted / 16);
    groups.insert(kept);
  }
  CHECK(groups.size() < 1000);
  CHECK(rounded_request(std::chrono::milliseconds::max()) < std::chrono::hours(24 * 365 * 120));
  CHECK(rounded_request(-1s) == 0s);
}

// --- more than there is ---

TEST_CASE("that a task asks for more time than any daemon has is told once") {
  Dispatcher dispatcher = with_jobs({60s});
  CHECK(describe(dispatcher.on_submit(at(0s), 1, long_task(1, 50s))) == Lines{"assign 1/1#1 to 10 \"x\""});

  CHECK(
      describe(dispatcher.on_submit(at(1s), 1, long_task(2, 300s))) ==
      Lines{
          "tell 1: a task asks for 300 s (.time_request), and daemons have at most 57 s for tasks: it waits "
          "until one comes that has more. Ask for longer jobs (slurm.time in a profile), or cancel it"});
  CHECK(describe(dispatcher.on_submit(at(2s), 1, long_task(3, 400s))).empty());
}

TEST_CASE("... also where no daemon has come yet, or the task was there before it") {
  Dispatcher dispatcher(Rules(), 2);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_submit(at(0s), 1, long_task(1, 50s + 500ms));
  dispatcher.on_submit(at(0s), 1, long_task(2, 10s));
  bool known = GENERATE(true, false);

  Lines lines = known ? describe(dispatcher.on_scaled(at(1s), 38s))
                      : describe(dispatcher.on_daemon_joined(at(1s), 10, 0, 40s));

  CHECK(lines.back().substr(0, 75) ==
        "tell 1: a task asks for 50.5 s (.time_request), and daemons have at most 38");
}

TEST_CASE("... and where daemons that come are known to have less than the one that had time for it") {
  Dispatcher dispatcher = with_jobs({600s});
  dispatcher.on_scaled(at(0s), 540s);
  dispatcher.on_submit(at(0s), 1, task(1));
  CHECK(describe(dispatcher.on_submit(at(0s), 1, long_task(2, 560s))).empty());

  Lines lines = finish(dispatcher, at(90s), 10, 1);

  CHECK(lines.back().starts_with(
      "tell 1: a task asks for 560 s (.time_request), and daemons have at most 540 s"));
}

TEST_CASE("... with what it is rounded up to, where that is why") {
  Dispatcher dispatcher(Rules(), 1);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_scaled(at(0s), 540s);

  Lines lines = describe(dispatcher.on_submit(at(0s), 1, long_task(1, 530s)));

  CHECK(lines.back().starts_with(
      "tell 1: a task asks for 530 s (.time_request, rounded up to 558 s), and daemons "
      "have at most 540 s for tasks"));
}

TEST_CASE("... and not where one has no end, or had more, or will have") {
  Dispatcher endless = with_daemons(1);
  endless.on_submit(at(0s), 1, task(1));
  CHECK(describe(endless.on_submit(at(0s), 1, long_task(2, 9999s))).empty());

  Dispatcher dispatcher = with_jobs({600s});
  CHECK(describe(dispatcher.on_submit(at(500s), 1, long_task(1, 500s))).empty());
  CHECK(describe(dispatcher.on_scaled(at(501s), 3600s)).empty());
  CHECK(describe(dispatcher.on_submit(at(502s), 1, long_task(2, 3000s))).empty());
}
