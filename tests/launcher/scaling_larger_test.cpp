// The larger daemons that tasks need which have died of too little.
#include <string>
#include <vector>

#include "launcher/launch/scaling.h"
#include "tests/launcher/scaled_world.h"

using namespace tenkai;
using namespace std::chrono_literals;

TEST_CASE("a task that needs more has one larger daemon launched") {
  ScaledWorld world(scaled_plan(up_to(8), 18), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1}};

  world.pass(1min);

  REQUIRE(world.unit_launches.size() == 1);
  CHECK(world.unit_launches[0].part.slots == Slots{17});
  CHECK(world.unit_launches[0].part.options.at("slurm.mem") == std::vector<std::string>{"4G"});
  CHECK(world.scaling.size_of(1) == Size{1, 0});
  CHECK(world.scaling.size_of(2) == Size());
  CHECK(world.told == std::vector<std::string>{"launches 1 daemon with mem=4G"});
}

TEST_CASE("of four daemons one may be larger, and no more") {
  ScaledWorld world(scaled_plan(up_to(8), 18), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1000}};

  world.pass(1min);

  CHECK(world.slots_launched() == Slots{17, 16});
}

TEST_CASE("the largest that is needed does for the smaller needs, too") {
  ScaledWorld world(scaled_plan(up_to(8), 18), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1}, {Size{2, 0}, 1}};

  world.pass(1min);

  CHECK(world.unit_launches.size() == 1);
  CHECK(world.scaling.size_of(1) == Size{2, 0});
}

TEST_CASE("larger daemons go when they have had no task for a minute") {
  ScaledWorld world(scaled_plan(up_to(8), 18), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1}};
  world.look();
  world.load.larger.clear();
  world.join(17);

  world.follow_looks(50s);
  CHECK(world.dismissed.empty());
  world.follow_looks(11s);
  CHECK(world.dismissed == Slots{17});
}

TEST_CASE("a larger daemon makes room for one that is large enough, though it has tasks") {
  ScaledWorld world(scaled_plan(up_to(4), 9), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1}};
  world.look();
  world.join(8);
  world.set_busy(8);
  world.pass(1h);
  CHECK(world.dismissed.empty());

  world.load.larger = {{Size{1, 0}, 5}, {Size{2, 0}, 1}};
  world.pass(1min);
  CHECK(world.dismissed == Slots{8});

  world.leave(8);
  world.pass(2s);
  CHECK(world.slots_launched() == Slots{8, 8});
  CHECK(world.scaling.size_of(2) == Size{2, 0});
}

TEST_CASE("larger daemons are no reason to launch fewer of the usual ones, nor to let those go") {
  ScaledWorld world(scaled_plan(up_to(2, 2), 5), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1}};
  world.look();
  world.pass(2s);

  CHECK(world.slots_launched() == Slots{4, 0, 1});
  for (std::size_t slot : Slots{0, 1, 4}) world.join(slot);
  world.set_busy(4);
  world.pass(10min);
  CHECK(world.dismissed.empty());
}

TEST_CASE("a larger launch that fails is told once, with what was asked for and why") {
  ScaledWorld world(scaled_plan(up_to(8), 18), with_more_memory());
  world.load.larger = {{Size{1, 0}, 1}};
  SECTION("because its job does") {
    world.look();
    world.fail(1, "Slurm says: Requested node configuration is not available");
  }
  SECTION("because it was not even begun") {
    world.refuses = "Slurm says: Requested node configuration is not available";
    world.look();
    world.refuses.clear();
  }

  world.pass(1s);

  REQUIRE(world.unavailable.size() == 1);
  CHECK(world.unavailable[0].first == Size{1, 0});
  CHECK(world.unavailable[0].second ==
        "the larger job that was asked for (mem=4G) could not be had: "
        "Slurm says: Requested node configuration is not available");
  world.pass(1h);
  CHECK(world.unavailable.size() == 1);
  CHECK(world.unit_launches.size() <= 1);
}

TEST_CASE("one of two larger launches that fails is no reason to give up on the other") {
  ScaledWorld world(scaled_plan(up_to(8), 18), with_more_memory());
  world.load.larger = {{Size{1, 0}, 10}};
  world.look();
  REQUIRE(world.slots_launched() == Slots{17, 16});

  world.fail(1, "its node has failed");
  world.pass(10min);
  CHECK(world.unavailable.empty());
  CHECK(world.slots_launched() == Slots{17, 16});

  world.fail(2, "its node has failed");
  world.pass(1s);
  CHECK(world.unavailable.size() == 1);
}

TEST_CASE("a size that cannot be asked for is told with the reason") {
  LaunchPlan plan = scaled_plan(up_to(8), 18);
  plan.spare->options["slurm.mem"] = {"99999999999G"};
  ScaledWorld world(plan, with_more_memory());
  world.load.larger = {{Size{8, 0}, 1}};

  world.look();

  CHECK(world.unit_launches.empty());
  REQUIRE(world.unavailable.size() == 1);
  CHECK(world.unavailable[0].second ==
        "the larger job that it needs cannot be asked for: cannot ask for more than slurm.mem: "
        "99999999999G, that would be beyond all limits");
}

TEST_CASE("a launch plan without scale launches larger daemons alone") {
  LaunchPlan plan = scaled_plan(up_to(1), 2);
  plan.scale.reset();
  ScaledWorld world(plan, with_more_memory(), 8);
  world.load.queued = 100;
  world.load.larger = {{Size{1, 0}, 1000}};

  world.pass(1min);

  CHECK(world.slots_launched() == Slots{1, 0});
  CHECK_FALSE(world.scaling.wanted());
}
