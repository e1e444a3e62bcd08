// Tasks that died of too little, and are tried again where there is more.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scheduler/task_queue.h"
#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

const Cause oom{Cause::Kind::oom, "was killed: OUT_OF_MEMORY"};
const Cause time_limit{Cause::Kind::time_limit, "had no time left"};
const Cause killed{Cause::Kind::killed, "was killed by signal 9 (SIGKILL)"};
const Cause goodbye{Cause::Kind::goodbye, "said goodbye"};

Rules with_retries(std::string_view text, Policy policy = Policy::queue) {
  Rules rules;
  rules.policy = policy;
  rules.retries = *parse_retries(text);
  return rules;
}

using Needs = std::vector<std::pair<Size, std::size_t>>;
constexpr std::string_view more_memory = "2,oom=2:mem=x2,time_limit=1:time=x1.5";

Sends join(Dispatcher& dispatcher, DaemonId daemon, std::size_t slot, Size size) {
  return dispatcher.on_daemon_joined(at(2s), daemon, slot, {}, size);
}

}  // namespace

TEST_CASE("a task that ran out of memory waits for a larger daemon, and others do not wait for it") {
  Dispatcher dispatcher = with_daemons(3, with_retries(more_memory));
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, oom)) ==
        Lines{"tell 1: daemon 1 was killed: OUT_OF_MEMORY while it ran a task, which is tried again with "
              "twice the memory"});
  CHECK(dispatcher.larger_needs() == Needs{{{1, 0}, 1}});
  CHECK_FALSE(dispatcher.has_daemon_for({1, 0}));
  CHECK(describe(dispatcher.on_submit(at(1s), 1, task(2))) == Lines{"assign 1/2#1 to 11 \"x\""});

  CHECK(describe(join(dispatcher, 20, 0, {1, 0})) == Lines{"assign 1/1#2 to 20 \"x\""});
  CHECK(dispatcher.has_daemon_for({1, 0}));
  CHECK(dispatcher.larger_needs().empty());
  CHECK(describe(dispatcher.on_finished(at(3s), 20, {1, 1}, 2, {}, false, false)) ==
        Lines{"resolve 1/1 \"\"", "acknowledge 20"});
}

TEST_CASE("each death of the same kind asks for a step more than the daemon had") {
  Dispatcher dispatcher = with_daemons(2, with_retries(more_memory));
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_left(at(1s), 10, oom);
  join(dispatcher, 20, 0, {2, 0});

  // It has been told of the first.
  CHECK(dispatcher.on_daemon_left(at(2s), 20, oom).empty());
  CHECK(dispatcher.larger_needs() == Needs{{{3, 0}, 1}});
  CHECK(join(dispatcher, 21, 0, {2, 1}).empty());
  dispatcher.on_daemon_left(at(3s), 21, goodbye);
  join(dispatcher, 22, 0, {3, 0});
  CHECK(
      describe(dispatcher.on_daemon_left(at(4s), 22, oom)) ==
      Lines{"resolve 1/1 code 19: daemon 1 was killed: OUT_OF_MEMORY while it ran this task; it was tried 3 "
            "times, and before that daemon 1 was killed: OUT_OF_MEMORY, daemon 1 was killed: OUT_OF_MEMORY"});
  CHECK(dispatcher.unresolved() == 0);
}

TEST_CASE("what was handed back by a time limit is tried again with more time") {
  Dispatcher dispatcher(with_retries(more_memory), 2);
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_daemon_joined(at(0s), 10, 0, 60s);
  dispatcher.on_daemon_joined(at(0s), 11, 1);
  dispatcher.on_submit(at(1s), 1, task(1));
  dispatcher.on_timer(at(54s));
  CHECK(describe(dispatcher.on_timer(at(57s))) == Lines{"hand back 10"});

  CHECK(
      describe(dispatcher.on_daemon_left(at(57s), 10, time_limit)) ==
      Lines{"tell 1: daemon 1 had no time left while it ran a task, which is tried again with 1.5 times the "
            "time"});
  CHECK(dispatcher.larger_needs() == Needs{{{0, 1}, 1}});
  CHECK(describe(join(dispatcher, 12, 0, {0, 1})) == Lines{"assign 1/1#2 to 12 \"x\""});
}

TEST_CASE("deaths by other causes ask for nothing more, and take nothing back") {
  Dispatcher dispatcher = with_daemons(2, with_retries(more_memory));
  dispatcher.on_submit(at(0s), 1, task(1));
  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, killed)) == Lines{"assign 1/1#2 to 11 \"x\""});
  CHECK(dispatcher.larger_needs().empty());

  dispatcher.on_daemon_left(at(2s), 11, oom);
  join(dispatcher, 20, 0, {1, 0});
  dispatcher.on_daemon_left(at(3s), 20, killed);
  CHECK(dispatcher.larger_needs() == Needs{{{1, 0}, 1}});
  join(dispatcher, 21, 0, {1, 0});
  dispatcher.on_daemon_left(at(4s), 21, goodbye);
  CHECK(dispatcher.larger_needs() == Needs{{{1, 0}, 1}});
}

TEST_CASE("a larger daemon takes the oldest task, which is mostly one that needs it") {
  Dispatcher dispatcher = with_daemons(1, with_retries(more_memory));
  for (std::uint64_t number = 1; number <= 3; ++number) dispatcher.on_submit(at(0s), 1, task(number));
  dispatcher.on_daemon_left(at(1s), 10, oom);

  CHECK(describe(join(dispatcher, 20, 0, {1, 0})) == Lines{"assign 1/1#2 to 20 \"x\""});
  CHECK(describe(dispatcher.on_finished(at(2s), 20, {1, 1}, 2, {}, false, false)).back() ==
        "assign 1/2#1 to 20 \"x\"");
}

TEST_CASE("that no daemon is left is not told for tasks that a usual one would not help") {
  Dispatcher dispatcher = with_daemons(1, with_retries(more_memory));
  dispatcher.on_submit(at(0s), 1, task(1));
  Lines told = describe(dispatcher.on_daemon_left(at(1s), 10, oom));
  CHECK(told.size() == 1);
  CHECK(told.front().find("tried again with twice the memory") != std::string::npos);

  CHECK(describe(dispatcher.on_submit(at(2s), 1, task(2))).front().starts_with("tell 1: no daemon is left"));
}

TEST_CASE("where nothing larger is to be had, the whole story is in the value") {
  Dispatcher dispatcher = with_daemons(3, with_retries(more_memory));
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_left(at(1s), 10, oom);
  dispatcher.on_submit(at(1s), 1, task(2));
  dispatcher.on_daemon_left(at(1s), 11, time_limit);

  std::string why = "the larger job that was asked for (mem=4G) could not be had: no node has that";
  CHECK(dispatcher.on_size_unavailable(at(2s), {2, 0}, why).empty());
  CHECK(describe(dispatcher.on_size_unavailable(at(2s), {1, 0}, why)) ==
        Lines{"resolve 1/1 code 19: daemon 1 was killed: OUT_OF_MEMORY while it ran this task, and " + why});
  CHECK(dispatcher.larger_needs() == Needs{{{0, 1}, 1}});
  CHECK(dispatcher.unresolved() == 1);
  CHECK(dispatcher.on_size_unavailable(at(2s), {1, 0}, why).empty());
}

TEST_CASE("a task that waits for a larger daemon which is here is not given up") {
  Dispatcher dispatcher = with_daemons(2, with_retries(more_memory));
  join(dispatcher, 20, 0, {1, 0});
  dispatcher.on_daemon_left(at(1s), 10, goodbye);
  join(dispatcher, 20, 0, {1, 0});
  dispatcher.on_submit(at(1s), 1, task(1));  // the larger one has the lower slot
  dispatcher.on_submit(at(1s), 1, task(2));
  dispatcher.on_daemon_left(at(2s), 11, oom);

  CHECK(dispatcher.on_size_unavailable(at(2s), {1, 0}, "there is no more").empty());
  dispatcher.on_daemon_leaving(at(3s), 20);
  CHECK(
      describe(dispatcher.on_size_unavailable(at(3s), {1, 0}, "there is no more")) ==
      Lines{"resolve 1/2 code 19: daemon 2 was killed: OUT_OF_MEMORY while it ran this task, and there is no "
            "more"});
}

TEST_CASE("more than the most steps are not asked for") {
  Dispatcher dispatcher(with_retries("2,oom=9:mem=x2"), 1);
  dispatcher.on_session_joined(at(0s), 1);
  join(dispatcher, 10, 0, {max_steps, 0});
  dispatcher.on_submit(at(0s), 1, task(1));

  CHECK(describe(dispatcher.on_daemon_left(at(1s), 10, oom)).front() ==
        "resolve 1/1 code 19: daemon 1 was killed: OUT_OF_MEMORY while it ran this task; it has been given "
        "more "
        "8 times, which is the limit");
}

TEST_CASE("a task that needs more can be cancelled, and times out, like any other") {
  Dispatcher dispatcher = with_daemons(2, with_retries(more_memory));
  dispatcher.on_submit(at(0s), 1, task(1));
  Submit timed = task(2);
  timed.timeout = 5s;
  dispatcher.on_submit(at(0s), 1, timed);
  dispatcher.on_daemon_left(at(1s), 10, oom);
  dispatcher.on_daemon_left(at(1s), 11, oom);
  CHECK(dispatcher.larger_needs() == Needs{{{1, 0}, 2}});

  CHECK(describe(dispatcher.on_cancel(at(2s), 1, 1)) ==
        Lines{"resolve 1/1 code 20: cancelled while it waited for a daemon"});
  CHECK(describe(dispatcher.on_timer(at(5s))) ==
        Lines{"resolve 1/2 code 5: not answered within 5000 ms; that ended while it waited for a daemon"});
  CHECK(dispatcher.larger_needs().empty());
  CHECK(dispatcher.queued() == 0);
}

TEST_CASE("direct and ephemeral daemons are all alike: the task is tried again with what there is") {
  Policy policy = GENERATE(Policy::direct, Policy::ephemeral);
  Dispatcher dispatcher(with_retries(more_memory, policy));
  dispatcher.on_session_joined(at(0s), 1);
  dispatcher.on_submit(at(0s), 1, task(1));
  dispatcher.on_daemon_joined(at(0s), 10);
  dispatcher.on_prospects(at(0s), {Prospects::Kind::coming, {}});

  Lines lines = describe(dispatcher.on_daemon_left(at(1s), 10, oom));
  CHECK(lines == (policy == Policy::direct ? Lines{} : Lines{"launch"}));
  CHECK(dispatcher.larger_needs().empty());
  CHECK(describe(dispatcher.on_daemon_joined(at(2s), 11)) == Lines{"assign 1/1#2 to 11 \"x\""});
}

TEST_CASE("a queue finds what fits both the time and the size of a daemon") {
  TaskQueue queue;
  auto add = [&queue](std::uint64_t sequence, std::chrono::milliseconds request, Size need) {
    Task task;
    task.key = {1, sequence};
    task.sequence = sequence;
    task.time_request = request;
    task.need = need;
    queue.add(task);
    return task;
  };
  auto first = [&queue](std::optional<std::chrono::milliseconds> room, Size size) {
    auto head = queue.first(room, size);
    return head ? head->sequence : 0;
  };
  Task large = add(1, 100s, {1, 0});
  add(2, 0s, {0, 1});
  add(3, 0s, {});
  add(4, 0s, {2, 2});

  CHECK(queue.first()->sequence == 1);
  CHECK(first({}, {}) == 3);
  CHECK(first({}, {1, 0}) == 1);
  CHECK(first(50s, {1, 0}) == 3);
  CHECK(first(50s, {0, 1}) == 2);
  CHECK(queue.larger_needs() == Needs{{{0, 1}, 1}, {{1, 0}, 1}, {{2, 2}, 1}});
  queue.remove(large);
  queue.remove(large);
  CHECK(queue.size() == 3);
  CHECK(queue.with_need({1, 0}).empty());
  CHECK(first({}, {1, 0}) == 3);
}
