#include "launcher/launch/scale.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Time = Scale::Time;
using State = ScaleUnit::State;
using Units = std::vector<std::size_t>;

namespace {

Time at(milliseconds since) { return Time() + since; }

ScaleRules up_to(std::size_t max) {
  ScaleRules rules;
  rules.max = max;
  return rules;
}

ScaleUnit launching(Time since) { return {State::launching, since}; }
ScaleUnit busy(Time since, std::size_t daemons = 1) { return {State::online, since, daemons, daemons}; }
ScaleUnit idle(Time since, Time idle_since, std::size_t daemons = 1) {
  return {State::online, since, daemons, 0, idle_since};
}
ScaleUnit until(Time drain_begin, ScaleUnit unit) {
  unit.drain_begin = drain_begin;
  return unit;
}
ScaleUnit leaving(ScaleUnit unit) {
  unit.leaving = true;
  return unit;
}

// So many units, of which the first are these.
ScaleView view_of(std::size_t queued, std::size_t count, std::vector<ScaleUnit> first = {}) {
  first.resize(count);
  return {queued, first};
}

// What is decided when all has been like this for a minute.
ScaleDecision decide(Scale& scale, Time now, const ScaleView& view) {
  scale.decide(now - 60s, view);
  return scale.decide(now, view);
}

// Fails so often, each time with a launch of its own, as soon as one is allowed.
Time fail(Scale& scale, Time now, int times) {
  for (int i = 0; i < times; ++i) {
    scale.on_failed(now + 10ms, now, "the partition is down");
    now += 200s;
  }
  return now;
}

}  // namespace

TEST_CASE("as many daemons are wanted as are busy, and one for each backlog of tasks that wait") {
  auto [queued, backlog, launched] = GENERATE(table<std::size_t, double, std::size_t>({{0, 1, 0},
                                                                                       {1, 1, 1},
                                                                                       {3, 1, 3},
                                                                                       {3, 2, 2},
                                                                                       {3, 0.5, 6},
                                                                                       {100, 1, 8},
                                                                                       {SIZE_MAX, 1e-9, 8},
                                                                                       {10, 1e9, 1}}));
  ScaleRules rules = up_to(10);
  rules.backlog = backlog;
  Scale scale(rules);

  ScaleDecision decision = decide(scale, at(60s), view_of(queued, 20, {busy(at(0s)), busy(at(0s))}));

  CHECK(decision.launch.size() == launched);
  CHECK(decision.wanted == 2 + launched);
  CHECK(decision.counted == 2);
}

TEST_CASE("the least number of daemons is there without any task") {
  ScaleRules rules = up_to(10);
  rules.min = 3;
  Scale scale(rules);

  CHECK(scale.decide(at(0s), view_of(0, 20)).launch == Units{0, 1, 2});
  CHECK_FALSE(Scale(up_to(10)).decide(at(0s), view_of(0, 20)).look_again);
}

TEST_CASE("what is being launched counts, so a slow queue is not asked again") {
  Scale scale(up_to(10));
  REQUIRE(scale.decide(at(0s), view_of(2, 20)).launch == Units{0, 1});

  ScaleDecision decision = scale.decide(at(3h), view_of(2, 20, {launching(at(0s)), launching(at(0s))}));

  CHECK(decision.launch.empty());
  CHECK_FALSE(decision.look_again);
}

TEST_CASE("there is one submission a second, or as seldom as a site wants it") {
  milliseconds pace = GENERATE(1000ms, 15000ms);
  ScaleRules rules = up_to(10);
  rules.pace = pace;
  Scale scale(rules);
  REQUIRE(scale.decide(at(0s), view_of(1, 20)).launch == Units{0});

  Time now = at(1ms);
  ScaleDecision decision = scale.decide(now, view_of(3, 20, {launching(at(0s))}));
  while (decision.launch.empty()) {
    REQUIRE(decision.look_again.value() > now);
    now = *decision.look_again;
    decision = scale.decide(now, view_of(3, 20, {launching(at(0s))}));
  }

  CHECK(now - at(0s) >= pace);
  CHECK(now - at(0s) <= pace + 500ms);
  CHECK(decision.launch == Units{1, 2});
}

TEST_CASE("what waits for less than a launch takes asks for none") {
  Scale scale(up_to(10));
  scale.on_came(at(0s), at(-10s));
  auto launched = [&scale](milliseconds time, std::size_t queued) {
    return scale.decide(at(time), view_of(queued, 20, {busy(at(0s))})).launch;
  };

  for (milliseconds time = 0s; time < 60s; time += 4s) {
    CHECK(launched(time, 3).empty());
    CHECK(launched(time + 3s, 0).empty());
  }
  CHECK(launched(60s, 3).empty());
  CHECK(launched(64s, 2).empty());
  CHECK(launched(70s, 5) == Units{1, 2});
}

TEST_CASE("a unit that is lost is launched again, for what is still wanted") {
  Scale scale(up_to(4));

  CHECK(decide(scale, at(1h), view_of(5, 8, {busy(at(0s)), {}, busy(at(0s))})).launch == Units{1, 3});
  CHECK(decide(scale, at(2h), view_of(0, 8, {busy(at(0s)), {}, busy(at(0s))})).launch.empty());
}

TEST_CASE("units of several daemons are launched whole, and never beyond the most") {
  ScaleRules rules = up_to(10);
  rules.chunk = 4;
  Scale scale(rules);

  CHECK(scale.decide(at(0s), view_of(1, 5)).launch == Units{0});
  CHECK(decide(scale, at(1h), view_of(50, 5, {busy(at(0s), 4)})).launch == Units{1});
  CHECK(decide(scale, at(2h), view_of(50, 5, {busy(at(0s), 4), busy(at(0s), 4)})).launch.empty());
  // One that has lost daemons is not added to before a whole unit is missing.
  CHECK(decide(scale, at(3h), view_of(50, 5, {busy(at(0s), 3), busy(at(0s), 4)})).launch.empty());
  CHECK(decide(scale, at(4h), view_of(50, 5, {busy(at(0s), 2), busy(at(0s), 4)})).launch == Units{2});
}

TEST_CASE("a unit is never larger than the most there may be") {
  ScaleRules rules = up_to(2);
  rules.chunk = 8;
  rules.min = 9;

  ScaleDecision decision = Scale(rules).decide(at(0s), view_of(0, 2));

  CHECK(decision.launch == Units{0});
  CHECK(decision.wanted == 2);
}

TEST_CASE("a unit whose job ends is replaced before its drain begins by as long as a start takes") {
  Scale scale(up_to(2));
  for (milliseconds took : {20s, 40s, 4s}) scale.on_came(at(took), at(0s));
  // The longest, a quarter more, and five seconds.
  ScaleView view = view_of(9, 4, {until(at(3600s), busy(at(0s))), until(at(7200s), busy(at(0s)))});

  ScaleDecision before = scale.decide(at(3544s), view);
  ScaleDecision then = scale.decide(at(3545s), view);

  CHECK(before.launch.empty());
  CHECK(before.look_again == at(3545s));
  CHECK(then.launch == Units{2});
}

TEST_CASE("only the last few starts tell how long one takes") {
  Scale scale(up_to(1));
  scale.on_came(at(1000s), at(0s));
  for (int i = 0; i < 8; ++i) scale.on_came(at(4s), at(0s));

  ScaleView view = view_of(9, 2, {until(at(3600s), busy(at(0s)))});
  CHECK(decide(scale, at(60s), view).look_again == at(3590s));
}

TEST_CASE("a start that takes longer than any before is an example to the next") {
  Scale scale(up_to(2));
  scale.on_came(at(4s), at(0s));
  ScaleView view = view_of(9, 4, {launching(at(1000s)), until(at(3600s), busy(at(0s)))});

  CHECK(decide(scale, at(1100s), view).look_again == at(1110s));
  CHECK(scale.decide(at(2153s), view).launch.empty());
  CHECK(scale.decide(at(2154s), view).launch == Units{2});
}

TEST_CASE("where coming takes longer than staying, half of each life counts") {
  Scale scale(up_to(1));
  scale.on_came(at(1h), at(0s));
  ScaleView view = view_of(9, 2, {until(at(60s), busy(at(0s)))});

  CHECK(scale.decide(at(29s), view).launch.empty());
  CHECK(scale.decide(at(30s), view).launch == Units{1});
}

TEST_CASE("a unit that ends is not replaced where it is not wanted any more") {
  Scale scale(up_to(2));
  ScaleView view = view_of(0, 4, {until(at(60s), idle(at(0s), at(50s))), until(at(7200s), busy(at(0s)))});

  CHECK(scale.decide(at(59s), view).launch.empty());
}

TEST_CASE("what a unit that leaves is still doing asks for no other") {
  Scale scale(up_to(4));

  CHECK(scale.decide(at(60s), view_of(0, 8, {leaving(busy(at(0s))), busy(at(0s))})).wanted == 1);
}

TEST_CASE("a unit is let go when all of its daemons have been idle for long enough") {
  ScaleRules rules = up_to(8);
  rules.chunk = 2;
  Scale scale(rules);
  ScaleUnit half = busy(at(0s), 2);
  half.busy = 1;
  ScaleView view = view_of(0, 8, {idle(at(0s), at(10s), 2), half, idle(at(0s), at(20s), 2)});

  CHECK(scale.decide(at(309s), view).dismiss.empty());
  CHECK(scale.decide(at(309s), view).look_again == at(310s));
  CHECK(scale.decide(at(310s), view).dismiss == Units{0});
  CHECK(scale.decide(at(400s), view).dismiss == Units{0, 2});
}

TEST_CASE("the least number stays, and those with the least time left go first") {
  ScaleRules rules = up_to(4);
  rules.min = 1;
  Scale scale(rules);
  ScaleView view = view_of(
      0, 8,
      {idle(at(0s), at(0s)), until(at(3000s), idle(at(0s), at(0s))), until(at(2000s), idle(at(0s), at(0s)))});

  CHECK(scale.decide(at(1000s), view).dismiss == Units{2, 1});
}

TEST_CASE("an idle unit stays as long as the one that is wanted in its place has not come") {
  ScaleRules rules = up_to(4);
  rules.min = 1;
  Scale scale(rules);
  ScaleUnit old = until(at(1000s), idle(at(0s), at(0s)));

  CHECK(scale.decide(at(990s), view_of(0, 8, {old, launching(at(980s))})).dismiss.empty());
  CHECK(scale.decide(at(990s), view_of(0, 8, {old, idle(at(985s), at(985s))})).dismiss == Units{0});
}

TEST_CASE("where there are more than there may be, what is idle goes at once") {
  Scale scale(up_to(2));
  std::vector<ScaleUnit> two = {busy(at(0s)), idle(at(0s), at(99s))};
  std::vector<ScaleUnit> three = {busy(at(0s)), idle(at(0s), at(99s)), busy(at(90s))};

  CHECK(scale.decide(at(100s), view_of(0, 4, two)).dismiss.empty());
  CHECK(scale.decide(at(100s), view_of(0, 4, three)).dismiss == Units{1});
}

TEST_CASE("what is still coming and not wanted any more is withdrawn") {
  Scale scale(up_to(10));
  ScaleView view = view_of(0, 10, {busy(at(0s)), launching(at(1s)), launching(at(2s)), launching(at(2s))});
  ScaleDecision decision = scale.decide(at(10s), view);
  CHECK(decision.withdraw.empty());

  SECTION("after as long as an idle daemon is kept, the last ones first") {
    view.queued = 1;
    scale.decide(at(309s), view);
    CHECK(scale.decide(at(310s), view).withdraw == Units{2, 3});
    CHECK(scale.decide(at(311s), view).withdraw.empty());
  }
  SECTION("if it was not wanted all the time") {
    view.queued = 5;
    scale.decide(at(100s), view);
    view.queued = 0;
    CHECK(scale.decide(at(200s), view).look_again <= at(500s));
    CHECK(scale.decide(at(310s), view).withdraw.empty());
    CHECK(scale.decide(at(500s), view).withdraw == Units{2, 3, 1});
  }
}

TEST_CASE("units of several daemons are withdrawn whole, and the least number stays") {
  ScaleRules rules = up_to(12);
  rules.chunk = 4;
  rules.min = 3;
  Scale scale(rules);
  ScaleView view = view_of(0, 6, {launching(at(0s)), launching(at(0s))});
  scale.decide(at(1s), view);
  CHECK(scale.decide(at(301s), view).withdraw == Units{0});
}

TEST_CASE("a unit that leaves is not told to a second time") {
  CHECK(Scale(up_to(4)).decide(at(1h), view_of(0, 8, {leaving(idle(at(0s), at(0s)))})).dismiss.empty());
}

TEST_CASE("daemons that have no time for what waits are not those that it needs") {
  Scale scale(up_to(1));
  scale.on_came(at(4s), at(0s));
  ScaleView view = view_of(1, 2, {until(at(4h), idle(at(0s), at(1h)))});

  ScaleDecision first = scale.decide(at(2h), view);
  ScaleDecision then = scale.decide(at(2h + 1s), view);
  view.units[1] = launching(at(2h + 1s));
  ScaleDecision later = scale.decide(at(3h), view);
  view.units[1] = until(at(7h), busy(at(3h)));
  view.queued = 0;
  ScaleDecision last = scale.decide(at(3h), view);

  CHECK(first.launch.empty());
  CHECK(first.look_again == at(2h + 1s));
  CHECK(then.launch == Units{1});
  CHECK(later.launch.empty());
  CHECK(later.dismiss.empty());
  // Now there is one more than there may be.
  CHECK(last.dismiss == Units{0});
}

TEST_CASE("where a daemon that has just come does not take what waits, no other is launched for it") {
  Scale scale(up_to(1));
  ScaleView view = view_of(1, 2, {until(at(4h), idle(at(0s), at(0s)))});

  scale.decide(at(0s), view);
  ScaleDecision decision = scale.decide(at(20min), view);

  CHECK(decision.launch.empty());
  CHECK(decision.look_again == at(24min));
}

TEST_CASE("after failures there is a longer and longer pause, and after the fifth no launch any more") {
  Scale scale(up_to(1));
  Time now = at(0s);
  for (milliseconds pause : {1s, 5s, 30s, 120s}) {
    REQUIRE(scale.decide(now, view_of(9, 2)).launch == Units{0});
    now += 500ms;
    scale.on_failed(now, now - 500ms, "the partition is down");

    ScaleDecision early = scale.decide(now + pause - 1ms, view_of(9, 2));
    CHECK(early.launch.empty());
    CHECK(early.look_again == now + pause);
    now += pause;
  }
  REQUIRE(scale.decide(now, view_of(9, 2)).launch == Units{0});
  scale.on_failed(now, now, "the partition is down");

  ScaleDecision last = scale.decide(now, view_of(9, 2));
  CHECK(scale.is_stopped());
  CHECK(last.launch.empty());
  CHECK_FALSE(last.look_again);
  CHECK(last.farewell ==
        "no more daemons are launched: 5 launches in a row have failed, the last because the partition is "
        "down; correct the profile, then daemons() again");
  // It is said once, and means it.
  scale.on_came(now, now);
  CHECK(scale.decide(now + 24h, view_of(9, 2)).farewell.empty());
  CHECK(scale.decide(now + 24h, view_of(9, 2)).launch.empty());
}

TEST_CASE("a daemon that comes ends the row of failures") {
  Scale scale(up_to(2));
  Time now = fail(scale, at(0s), 4);

  scale.on_came(now, now - 3s);
  fail(scale, now, 4);

  CHECK_FALSE(scale.is_stopped());
}

TEST_CASE("what was launched before the last failure shares its trouble") {
  Scale scale(up_to(50));
  REQUIRE(scale.decide(at(0s), view_of(50, 100)).launch.size() == 50);
  for (int i = 0; i < 50; ++i) scale.on_failed(at(10s + 1s * i), at(0s), "there is no R");

  CHECK_FALSE(scale.is_stopped());
  CHECK(scale.decide(at(11s), view_of(50, 100)).launch.size() == 50);
}

TEST_CASE("daemons that come and go at once are failures, too") {
  Scale scale(up_to(2));
  Time now = at(0s);
  for (int i = 0; i < 5; ++i) {
    REQUIRE_FALSE(scale.is_stopped());
    scale.on_came(now + 2s, now);
    scale.on_gone(now + 4s, now, now + 2s, false, "exit code 1");
    now += 200s;
  }

  CHECK(scale.is_stopped());
  CHECK(scale.decide(now, view_of(9, 4)).farewell ==
        "no more daemons are launched: the daemons of 5 launches in a row were gone within 30 s, the last "
        "because exit code 1; correct the profile, then daemons() again");
}

TEST_CASE("daemons that stay, or do what their limits allow, end that row") {
  Scale scale(up_to(2));
  auto come_and_go = [&scale](Time now, int times) {
    for (int i = 0; i < times; ++i, now += 200s) scale.on_gone(now + 4s, now, now + 2s, false, "exit code 1");
  };
  come_and_go(at(0s), 4);

  SECTION("one that is there for 30 s") { scale.decide(at(1030s), view_of(9, 4, {busy(at(1000s))})); }
  SECTION("one that was") { scale.on_gone(at(1030s), at(990s), at(1000s), false, "exit code 1"); }
  SECTION("one that had to go") { scale.on_gone(at(1003s), at(990s), at(1000s), true, "its time was over"); }

  come_and_go(at(2000s), 4);
  CHECK_FALSE(scale.is_stopped());
}

TEST_CASE("one that has been there for long does not make good those that come and go") {
  Scale scale(up_to(2));
  Time now = at(1h);
  for (int i = 0; i < 5; ++i, now += 200s) {
    scale.decide(now, view_of(9, 4, {busy(at(0s))}));
    scale.on_gone(now + 4s, now, now + 2s, false, "exit code 1");
  }

  CHECK(scale.is_stopped());
}

TEST_CASE("one that has stopped still lets go of what is idle") {
  Scale scale(up_to(2));
  fail(scale, at(0s), 5);

  CHECK(scale.decide(at(1h), view_of(0, 4, {idle(at(0s), at(0s))})).dismiss == Units{0});
}

TEST_CASE("with as many at least as at most there are always so many") {
  ScaleRules rules = up_to(2);
  rules.min = 2;
  Scale scale(rules);

  CHECK(scale.decide(at(0s), view_of(100'000, 4)).launch == Units{0, 1});
  ScaleView quiet = view_of(0, 4, {idle(at(0s), at(0s)), idle(at(0s), at(0s))});
  CHECK(scale.decide(at(240h), quiet).dismiss.empty());
  CHECK_FALSE(scale.decide(at(240h), quiet).look_again);
}
