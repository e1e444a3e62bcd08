// What a task costs the dispatcher. Not part of the tests; run it by its tag:
//   tests "[.bench]"     (with optimization and without sanitizers)
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;

namespace {

using Clock = std::chrono::steady_clock;

struct Cost {
  double submit_ns;
  double finish_ns;
};

// Submits all tasks, which go to the daemons or wait, then answers each until none
// is left.
Cost run(std::size_t daemons, std::uint64_t tasks) {
  Dispatcher dispatcher = with_daemons(daemons);
  Payload payload = make_payload(std::string(256, 'x'));
  std::vector<Assign> running;
  auto keep = [&running](Sends sends) {
    for (Send& send : sends) {
      if (Assign* assign = std::get_if<Assign>(&send)) running.push_back(std::move(*assign));
    }
  };

  Clock::time_point begin = Clock::now();
  for (std::uint64_t number = 1; number <= tasks; ++number) {
    Submit submit;
    submit.task = number;
    submit.payload = payload;
    keep(dispatcher.on_submit({}, 1, std::move(submit)));
  }
  Clock::time_point submitted = Clock::now();
  for (std::size_t next = 0; next < running.size(); ++next) {
    Assign done = running[next];
    keep(dispatcher.on_finished({}, done.daemon, done.key, done.attempt, payload, false, false));
  }
  Clock::time_point end = Clock::now();

  REQUIRE(dispatcher.unresolved() == 0);
  auto ns = [tasks](Clock::duration time) {
    return std::chrono::duration<double, std::nano>(time).count() / static_cast<double>(tasks);
  };
  return {ns(submitted - begin), ns(end - submitted)};
}

}  // namespace

TEST_CASE("what a task costs the dispatcher", "[.bench]") {
  std::printf("%8s %8s %14s %24s\n", "daemons", "tasks", "ns per submit", "ns per finish+assign");
  for (std::size_t daemons : {2u, 10u, 1000u}) {
    for (std::uint64_t tasks : {20000u, 100000u}) {
      Cost cost = run(daemons, tasks);
      std::printf("%8zu %8llu %14.0f %24.0f\n", daemons, static_cast<unsigned long long>(tasks),
                  cost.submit_ns, cost.finish_ns);
    }
  }
}
