// Any order of events, and what has to hold in all of them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "launcher/launch/scale.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Time = Scale::Time;
using State = ScaleUnit::State;

namespace {

// Units that do anything that units can do, at any time, and some of it all at once.
class Chaos {
 public:
  explicit Chaos(std::uint32_t seed) : random_(seed) {
    rules_.max = 1 + any(20);
    rules_.min = any(rules_.max + 1);
    rules_.chunk = 1 + any(6);
    rules_.backlog = 0.25 * static_cast<double>(1 + any(20));
    rules_.idle = milliseconds(any(400'000));
    chunk_ = std::min(rules_.chunk, rules_.max);
    units_.resize((2 * rules_.max + chunk_ - 1) / chunk_);
    view_.units.resize(units_.size());
    scale_ = Scale(rules_);
  }

  void step() {
    now_ += pause();
    if (any(3) == 0) view_.queued = any(4) == 0 ? any(1'000'000) : any(5);
    for (std::size_t u = 0; u < units_.size(); ++u)
      if (any(4) == 0) change(u);
    decide();
  }

 private:
  // Mostly moments, now and then days.
  milliseconds pause() {
    switch (any(20)) {
      case 0: return milliseconds(any(400'000'000));
      case 1: return 0ms;
      default: return milliseconds(any(3000));
    }
  }

  void change(std::size_t u) {
    ScaleUnit& unit = view_.units[u];
    if (unit.state == State::launching) {
      if (any(3) > 0) return;
      if (any(3) == 0) {
        scale_.on_failed(now_, unit.since, "it has failed");
        unit = {};
        return;
      }
      units_[u].launched = unit.since;
      scale_.on_came(now_, unit.since);
      unit = {State::online, now_, 1 + any(chunk_)};
      unit.idle_since = now_;
      if (any(2) == 0) unit.drain_begin = now_ + milliseconds(any(8'000'000));
    }
    if (unit.state != State::online) return;
    if (any(12) == 0 || unit.daemons == 0) {
      scale_.on_gone(now_, units_[u].launched, unit.since, any(4) > 0, "it is gone");
      unit = {};
      return;
    }
    if (any(15) == 0) --unit.daemons;
    if (any(15) == 0 || (unit.drain_begin && now_ >= *unit.drain_begin)) unit.leaving = true;
    std::size_t busy = unit.leaving ? std::min(unit.busy, unit.daemons) : any(unit.daemons + 1);
    if (busy == 0 && unit.busy > 0) unit.idle_since = now_;
    if (busy > 0) unit.idle_since.reset();
    unit.busy = busy;
    if (busy == 0 && !unit.idle_since) unit.idle_since = now_;
  }

  void decide() {
    ScaleDecision decision = scale_.decide(now_, view_);

    REQUIRE(decision.wanted >= rules_.min);
    REQUIRE(decision.wanted <= rules_.max);
    REQUIRE((!decision.look_again || *decision.look_again > now_));
    REQUIRE(std::set(decision.launch.begin(), decision.launch.end()).size() == decision.launch.size());
    if (!decision.launch.empty()) launch(decision);
    for (std::size_t u : decision.dismiss) dismiss(u);
    for (std::size_t u : decision.withdraw) {
      REQUIRE(view_.units.at(u).state == State::launching);
      view_.units[u] = {};
    }
    if (!decision.farewell.empty()) ++farewells_;
    REQUIRE(farewells_ == (scale_.is_stopped() ? 1 : 0));
    // Nothing has happened, so there is nothing more to do.
    ScaleDecision again = scale_.decide(now_, view_);
    REQUIRE(again.launch.empty());
    REQUIRE(again.farewell.empty());
  }

  void launch(const ScaleDecision& decision) {
    REQUIRE(farewells_ == 0);
    REQUIRE(decision.counted + decision.launch.size() * chunk_ <= rules_.max);
    REQUIRE((!submitted_ || now_ - *submitted_ >= rules_.pace));
    submitted_ = now_;
    for (std::size_t u : decision.launch) {
      REQUIRE(view_.units.at(u).state == State::vacant);
      view_.units[u] = {State::launching, now_};
    }
  }

  void dismiss(std::size_t u) {
    ScaleUnit& unit = view_.units.at(u);
    REQUIRE(unit.state == State::online);
    REQUIRE(unit.busy == 0);
    REQUIRE_FALSE(unit.leaving);
    unit.leaving = true;
  }

  std::size_t any(std::size_t below) { return random_() % below; }

  struct Unit {
    Time launched{};
  };
  std::mt19937 random_;
  ScaleRules rules_;
  std::size_t chunk_ = 1;
  Scale scale_{ScaleRules()};
  ScaleView view_;
  std::vector<Unit> units_;
  Time now_ = Time() + 1h;
  std::optional<Time> submitted_;
  int farewells_ = 0;
};

}  // namespace

TEST_CASE("whatever happens, no more than the most are launched, and nothing busy is let go") {
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Chaos chaos(seed);
    for (int i = 0; i < 400; ++i) chaos.step();
  }
}
