#include "launcher/launch/scaling.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

#include "base/random_stream.h"
#include "tests/launcher/scaled_world.h"

using namespace tenkai;
using namespace std::chrono_literals;

TEST_CASE("a scaled plan launches the least number at once, by one submission") {
  ScaledWorld world(scaled_plan(up_to(4, 2), 8));

  world.look();

  REQUIRE(world.unit_launches.size() == 1);
  CHECK(world.unit_launches[0].part.slots == Slots{0, 1});
  CHECK(world.unit_launches[0].part.options.at("slurm.mem") == std::vector<std::string>{"2G"});
  CHECK(world.scaling.wanted() == 2);
}

TEST_CASE("nothing is launched, and nothing is to be looked at, where there is nothing to do") {
  ScaledWorld world(scaled_plan(up_to(4), 8));

  Scaling::Decision decision = world.look();

  CHECK(world.unit_launches.empty());
  CHECK_FALSE(decision.look_again);
}

TEST_CASE("a scaled plan grows with the tasks that wait, as far as it may") {
  ScaledWorld world(scaled_plan(up_to(4), 8));
  world.load.queued = 1;
  world.look();
  world.load.queued = 100;
  world.pass(2s);

  CHECK(world.slots_launched() == Slots{0, 1, 2, 3});
  world.pass(1h);
  CHECK(world.slots_launched().size() == 4);
}

TEST_CASE("idle daemons are let go, and their slots can be used again") {
  ScaledWorld world(scaled_plan(up_to(4), 8));
  world.load.queued = 1;
  world.look();
  world.load.queued = 0;
  world.join(0);

  CHECK(world.look().look_again == world.now + 5min);
  world.pass(5min);
  CHECK(world.dismissed == Slots{0});

  world.leave(0);
  world.end(1, 0);
  world.load.queued = 1;
  world.pass(2s);
  CHECK(world.slots_launched() == Slots{0, 0});
}

TEST_CASE("launches that wait longer than there is work are withdrawn, and their slots free") {
  ScaledWorld world(scaled_plan(up_to(4, 1), 8));
  world.load.queued = 4;
  world.pass(3s);
  REQUIRE(world.slots_launched() == Slots{0, 1, 2, 3});
  world.join(0);
  world.load.queued = 0;
  world.pass(4min);
  CHECK(world.withdrawn.empty());

  world.pass(2min);

  CHECK(world.withdrawn == std::vector<std::uint64_t>{2, 3, 4});
  CHECK(world.told.empty());
  world.load.queued = 4;
  world.pass(1min);
  CHECK(world.slots_launched() == Slots{0, 1, 2, 3, 1, 2, 3});
}

TEST_CASE("a daemon is replaced before its drain begins") {
  ScaledWorld world(scaled_plan(up_to(4, 1), 8));
  world.look();
  world.join(0, 1h);
  world.pass(50min);
  CHECK(world.slots_launched() == Slots{0});

  world.pass(10min);

  CHECK(world.slots_launched() == Slots{0, 1});
}

TEST_CASE("a launch that fails is followed by another after a pause, five times in all") {
  ScaledWorld world(scaled_plan(up_to(4, 1), 8));
  std::vector<Time> when;
  for (int i = 0; i < 600; ++i) {
    std::size_t before = world.unit_launches.size();
    world.pass(1s);
    if (world.unit_launches.size() == before) continue;
    when.push_back(world.now);
    world.fail(world.last, "the partition is down");
  }

  REQUIRE(when.size() == 5);
  CHECK(when[1] - when[0] <= 2s);
  CHECK(when[4] - when[3] >= 120s);
  CHECK(world.told == std::vector<std::string>{
                          "no more daemons are launched: 5 launches in a row have failed, the last because "
                          "the partition is down; correct the profile, then daemons() again"});
}

TEST_CASE("where there is room for five of eight, five stay, and the rest is asked for later and later") {
  ScaledWorld world(scaled_plan(up_to(8, 8), 16));
  world.look();
  for (std::size_t slot : {0, 1, 2, 3, 4}) world.join(slot);
  for (std::uint64_t launch : {6, 7, 8}) world.fail_as_full(launch);
  std::vector<Time> when{world.now};
  for (int i = 0; i < 3 * 3600; ++i) {
    std::size_t before = world.unit_launches.size();
    world.pass(1s);
    if (world.unit_launches.size() == before) continue;
    when.push_back(world.now);
    CHECK(world.unit_launches.back().units.size() == 3);
    for (std::uint64_t launch = world.last - 2; launch <= world.last; ++launch) world.fail_as_full(launch);
  }

  CHECK(world.dismissed.empty());
  CHECK(world.told.empty());
  REQUIRE(when.size() >= 6);
  CHECK(when.size() <= 11);
  CHECK(when[1] - when[0] <= 125s);
  for (std::size_t i = 2; i < when.size(); ++i) {
    CHECK(when[i] - when[i - 1] >= when[i - 1] - when[i - 2]);
    CHECK(when[i] - when[i - 1] <= 31min);
  }
}

TEST_CASE("when one has gone there is room for another at once") {
  ScaledWorld world(scaled_plan(up_to(8, 8), 16));
  world.look();
  for (std::size_t slot : {0, 1, 2, 3, 4}) world.join(slot);
  for (std::uint64_t launch : {6, 7, 8}) world.fail_as_full(launch);
  world.pass(30s);
  CHECK(world.unit_launches.size() == 1);

  world.leave(0);
  world.end(1, 0);
  world.pass(3s);

  CHECK(world.unit_launches.size() == 2);
}

TEST_CASE("a submission that is refused counts as a failure") {
  ScaledWorld world(scaled_plan(up_to(4, 1), 8));
  world.refuses = "there is no folder for its credential";

  for (int i = 0; i < 600; ++i) world.pass(1s);

  CHECK(world.refused == 5);
  CHECK(world.told.size() == 1);
}

TEST_CASE("a job that came and went between two looks has been there") {
  ScaledWorld world(scaled_plan(up_to(1, 1), 2));
  world.look();
  world.join(0);
  world.leave(0);
  world.end(1, 0);

  world.pass(2s);

  CHECK(world.slots_launched() == Slots{0, 0});
}

TEST_CASE("a daemon that its agent starts again is waited for") {
  ScaledWorld world(scaled_plan(up_to(2, 1), 4));
  world.look();
  world.join(0);
  world.look();
  world.leave(0);

  world.pass(5s);
  CHECK(world.slots_launched() == Slots{0});
  CHECK(world.scaling.wanted() == 1);

  world.join(0);
  world.pass(1h);
  CHECK(world.slots_launched() == Slots{0});
}

TEST_CASE("a job that was put back into the queue is waited for, and not launched over") {
  ScaledWorld world(scaled_plan(up_to(2, 1), 2));
  world.look();
  world.join(0, 30min);
  world.pass(10min);
  world.leave(0);
  world.requeue(1);

  world.pass(6h);
  CHECK(world.slots_launched() == Slots{0});

  world.join(0);
  world.pass(10min);
  CHECK(world.slots_launched() == Slots{0});
}

TEST_CASE("a unit that has lost its daemons, and whose end is never told, is free after a minute") {
  ScaledWorld world(scaled_plan(up_to(1, 1), 2));
  world.look();
  bool seen = GENERATE(true, false);
  world.join(0);
  if (seen) world.pass(1min);
  world.leave(0);

  // Nothing happens but what was asked for.
  world.follow_looks(10min);

  // The other one first, and then there is nowhere else to go.
  CHECK(world.slots_launched() == Slots{0, 1});
  world.fail(2, "it was cancelled");
  world.follow_looks(10min);
  CHECK(world.slots_launched() == Slots{0, 1, 0});
}

TEST_CASE("a job whose time is over is gone, whether or not anybody tells") {
  ScaledWorld world(scaled_plan(up_to(1, 1), 1));
  world.look();
  world.join(0, 1h);
  world.pass(1h - 10s);
  world.leave(0);
  world.look();

  world.follow_looks(30s);

  CHECK(world.slots_launched() == Slots{0, 0});
}

TEST_CASE("daemons that are launched by hand count, and nothing is launched over them") {
  ScaledWorld world(scaled_plan(up_to(2, 1), 4));
  world.launch_by_hand(1);

  world.look();
  CHECK(world.slots_launched() == Slots{0});

  world.fail(2, "it was cancelled");
  world.join(1);
  world.pass(1min);
  CHECK(world.slots_launched() == Slots{0});

  world.set_busy(1);
  world.load.queued = 5;
  world.pass(1min);
  CHECK(world.slots_launched() == Slots{0, 0});
}

TEST_CASE("a slot that somebody has a command for is left alone") {
  ScaledWorld world(scaled_plan(up_to(2), 2));
  world.launch_by_hand(0);
  world.load.queued = 5;

  world.pass(1min);

  CHECK(world.slots_launched() == Slots{1});
}

TEST_CASE("agents of several daemons are launched and let go whole") {
  ScaledWorld world(scaled_plan(up_to(5), 12, 2));
  CHECK(world.scaling.unit_size() == 2);
  world.load.queued = 3;
  world.look();
  CHECK(world.slots_launched() == Slots{0, 1, 2, 3});

  world.load.queued = 0;
  for (std::size_t slot : Slots{0, 1, 2, 3}) world.join(slot);
  world.set_busy(0);
  world.look();
  world.pass(6min);

  CHECK(world.dismissed == Slots{2, 3});
}

TEST_CASE("what is launched again draws other random numbers") {
  ScaledWorld world(scaled_plan(up_to(1, 1), 1));
  world.look();
  world.fail(1, "it was cancelled");
  world.pass(2s);

  REQUIRE(world.unit_launches.size() == 2);
  const RandomStream stream = scaled_plan(up_to(1, 1), 1).spare->streams[0];
  CHECK(world.unit_launches[0].part.streams[0] == stream);
  CHECK(world.unit_launches[1].part.streams[0] == substream(stream, 1));
}

TEST_CASE("there are as many spare slots as can be used") {
  ScaleRules in_fours = up_to(20);
  in_fours.chunk = 4;
  CHECK(Scaling::spare_slots(20, std::nullopt, {}) == 0);
  CHECK(Scaling::spare_slots(20, std::nullopt, {200, 100}) == 5);
  CHECK(Scaling::spare_slots(1, std::nullopt, {100, 150}) == 1);
  CHECK(Scaling::spare_slots(20, up_to(20), {}) == 20);
  // A unit of four for larger ones: of five units one in four is one.
  CHECK(Scaling::spare_slots(20, in_fours, {200, 100}) == 20 + 4);
  // Only whole units can be launched.
  CHECK(Scaling::spare_slots(6, in_fours, {}) == 10);
}

TEST_CASE("what is launched keeps off the nodes that are left out") {
  ScaledWorld world(scaled_plan(up_to(2), 4));
  world.scaling.exclude("n1");
  world.scaling.exclude("n2");
  world.scaling.exclude("n1");
  world.load.queued = 1;

  world.look();

  REQUIRE(world.unit_launches.size() == 1);
  CHECK(world.unit_launches[0].part.options ==
        excluding(scaled_plan(up_to(2), 4).spare->options, {"n1", "n2"}));
}

// --- what cannot be ---

TEST_CASE("spare slots that no agent fits into are refused, and requests that cannot grow") {
  LaunchPlan plan = scaled_plan(up_to(3), 6, 4);
  CHECK(Scaling::problem(plan, {}) == "one agent has more daemons (4) than there may be");

  plan = scaled_plan(up_to(4), 8);
  CHECK(Scaling::problem(plan, with_more_memory()).empty());
  plan.spare->options.erase("slurm.mem");
  CHECK(Scaling::problem(plan, with_more_memory()).find("none was asked for") != std::string::npos);
  CHECK(Scaling::problem(plan, {}).empty());
  plan.spare.reset();
  CHECK(Scaling::problem(plan, with_more_memory()).empty());
}

TEST_CASE("a fresh daemon has as much time as its job, but for the end of it") {
  ScaledWorld world(scaled_plan(up_to(4), 8));
  CHECK(world.scaling.room() == 1h - 1min);

  LaunchPlan plan = scaled_plan(up_to(4), 8);
  plan.spare->options.erase("slurm.time");
  CHECK_FALSE(ScaledWorld(plan).scaling.room());
}

// --- whatever happens ---

TEST_CASE("in any order of events no slot is launched twice, and no busy daemon is let go") {
  std::uint32_t seed = GENERATE(range(1U, 200U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  auto any = [&random](std::size_t below) { return random() % below; };
  std::size_t max = 1 + any(10);
  std::size_t chunk = 1 + any(std::min<std::size_t>(max, 3));
  ScaleRules rules = up_to(max, any(max + 1));
  rules.idle = std::chrono::seconds(any(400));
  std::size_t units = 2 * ((max + chunk - 1) / chunk) + 1;
  ScaledWorld world(scaled_plan(rules, units * chunk, chunk), with_more_memory());

  for (int step = 0; step < 300; ++step) {
    if (any(3) == 0) world.load.queued = any(4) == 0 ? any(1'000'000) : any(5);
    if (any(5) == 0) world.load.larger.clear();
    if (any(10) == 0) world.load.larger = {{Size{1, 0}, 1 + any(5)}, {Size{2, 0}, 1 + any(5)}};
    if (any(30) == 0) world.launch_by_hand(any(units * chunk));
    world.refuses = any(20) == 0 ? "it may not be" : "";
    world.anything(any);
    world.now += any(10) == 0 ? 1ms * any(10'000'000) : 1ms * any(3000);
    Scaling::Decision decision = world.look();

    REQUIRE((!decision.look_again || *decision.look_again > world.now));
    // Nothing has happened but for slots that are free again, so there is nothing more to do.
    if (!decision.withdraw.empty()) continue;
    std::size_t launched = world.unit_launches.size();
    std::size_t let_go = world.dismissed.size();
    if (world.refuses.empty()) world.look();
    REQUIRE(world.unit_launches.size() == launched);
    REQUIRE(world.dismissed.size() == let_go);
  }
}
