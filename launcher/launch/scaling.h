// Launches that nobody asks for one by one: of a profile that scales, and of the larger
// daemons that tasks need which have died of too little. Which slots, with what requests:
// decided here, from what there is to do and what has become of the launches. No clock, no
// process.
//
// Words. A *unit* is the slots of one agent, as in Scale. It is *ours* while there is a
// launch for it that was decided on here; others are launched by hand beside it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random_stream.h"
#include "launcher/launch/launch.h"
#include "launcher/launch/launch_plan.h"
#include "launcher/launch/scale.h"
#include "scheduler/cause.h"
#include "scheduler/load.h"

namespace tenkai {

class Scaling {
 public:
  using Time = LaunchTime;

  // What the outside knows of launches, at the moment of a decision.
  struct Sight {
    // Null: it is long over.
    std::function<const Launch*(std::uint64_t number)> launch;
    // Whether somebody else's launch may bring a daemon to a slot that has none.
    std::function<bool(std::size_t slot)> is_awaited;
  };
  // Units that are launched together.
  struct UnitLaunch {
    std::vector<std::size_t> units;
    Size size;
    LaunchPlan::Part part;  // one submission: an agent for each unit, in this order
  };
  struct Decision {
    std::vector<UnitLaunch> unit_launches;
    std::vector<std::size_t> dismiss;     // slots; only larger daemons may be busy
    std::vector<std::uint64_t> withdraw;  // launches
    std::optional<Time> look_again;
    std::vector<std::string> tell;                          // the user
    std::vector<std::pair<Size, std::string>> unavailable;  // and why
  };

  // A launch plan with spare slots. `usual`: how many daemons there are without them.
  Scaling(const LaunchPlan& plan, std::size_t usual, const Retries& retries);

  // How many slots there must be beyond those of the daemons: with `scale` one more for each, because a
  // job is replaced before it ends, and some for larger ones where tasks may need those.
  static std::size_t spare_slots(std::size_t daemons, const std::optional<ScaleRules>& scale,
                                 const Factors& factors);

  // Why the spare slots of a launch plan cannot be launched as it says; empty: they can.
  static std::string problem(const LaunchPlan& plan, const Retries& retries);

  // How much time a fresh daemon has for tasks, where its job has an end.
  std::optional<std::chrono::milliseconds> room() const { return room_; }

  Decision decide(Time now, const Load& load, const Sight& sight);
  // A unit launch was begun, as launches numbered from `first` on; or could not be.
  void on_launched(Time now, const UnitLaunch& unit_launch, std::uint64_t first);
  void on_refused(Time now, const UnitLaunch& unit_launch, const std::string& why);
  // Launches to come keep off this node.
  void exclude(const std::string& node);

  // How many daemons an agent has.
  std::size_t unit_size() const { return units_.front().slots.size(); }
  Size size_of(std::uint64_t launch) const;
  // How many daemons there are to be, without larger ones; nothing where there is no scale.
  std::optional<std::size_t> wanted() const { return wanted_; }
  // Whether it goes on launching daemons as there is work.
  bool is_scaling() const { return scale_ && !scale_->is_stopped(); }

 private:
  struct Unit {
    std::vector<std::size_t> slots;
    std::vector<RandomStream> streams;  // of their daemons at first; none: they have none
    std::size_t launches = 0;           // so far
    std::optional<std::uint64_t> launch;
    Size size;
    Time launched{};
    std::optional<Time> came;
    std::optional<Time> left;  // when its last daemon was missed first
    std::optional<Time> drain_begin;
    bool dismissed = false;
  };

  ScaleUnit look_at(Time now, Unit& unit, const Load& load, const Sight& sight, Decision& decision);
  void come(Time now, Unit& unit);
  static void come_again(Time now, Unit& unit);
  void follow(Time now, Unit& unit, const Sight& sight);
  static void wait_for(Time now, const Unit& unit, ScaleUnit& seen, Decision& decision);
  static void forget(Unit& unit);
  static void dismiss(Unit& unit, Decision& decision);
  static bool is_large(const Unit& unit) { return unit.launch && unit.size != Size(); }
  static bool helps(Time now, const Unit& unit, const Size& size);
  bool is_known_to_fail(const Size& size) const;
  std::size_t count_large(const Size& size) const;
  void give_up(Decision& decision);
  std::optional<std::size_t> in_the_way(Time now, const Load& load, const std::vector<ScaleUnit>& seen) const;
  void let_go_of_larger(Time now, const Load& load, const std::vector<ScaleUnit>& seen, Decision& decision);
  std::size_t missing(Time now, const Size& size, std::size_t tasks) const;
  void launch_larger(Time now, const Load& load, const std::vector<ScaleUnit>& seen, Decision& decision);
  void launch_units(const std::vector<std::size_t>& units, const Size& size, Decision& decision);

  LaunchPlan::Options options_;
  Factors factors_;
  std::size_t max_large_;  // units
  double backlog_ = 1;
  std::chrono::milliseconds idle_;
  std::optional<Scale> scale_;
  std::optional<std::chrono::milliseconds> room_;
  std::vector<Unit> units_;
  std::vector<std::string> excluded_;
  // Sizes that could not be had, until that is told, or one of them has come.
  std::map<Size, std::string> failed_;
  std::set<std::string> told_;
  std::optional<Time> asked_larger_;
  std::optional<std::size_t> wanted_;
};

}  // namespace tenkai
