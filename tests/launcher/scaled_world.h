// What is around a Scaling: slots, launches and their jobs, and a clock. It does what it is
// told, and holds that with each decision what must never be asked for has not been.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/launch/scaling.h"
#include "launcher/profile/enlarge.h"
#include "tests/catch.h"

namespace tenkai {

using Time = Scaling::Time;
using Slots = std::vector<std::size_t>;

inline ScaleRules up_to(std::size_t max, std::size_t min = 0) {
  ScaleRules rules;
  rules.min = min;
  rules.max = max;
  return rules;
}

inline Retries with_more_memory() {
  Retries retries;
  retries.factors.mem = 200;
  return retries;
}

// Jobs of an hour and 2 GB.
inline LaunchPlan scaled_plan(const ScaleRules& rules, std::size_t slots, std::size_t chunk = 1) {
  LaunchPlan plan;
  plan.plugin = "slurm";
  plan.delivery = LaunchPlan::Delivery::file;
  plan.chunk = chunk;
  plan.scale = rules;
  plan.spare.emplace();
  plan.spare->options = {{"slurm.time", {"60"}}, {"slurm.mem", {"2G"}}};
  for (std::size_t slot = 0; slot < slots; ++slot) {
    plan.spare->slots.push_back(slot);
    plan.spare->streams.push_back({10407, static_cast<std::int32_t>(slot + 1), 2, 3, 4, 5, 6});
  }
  return plan;
}

class ScaledWorld {
 public:
  explicit ScaledWorld(const LaunchPlan& plan, const Retries& retries = {}, std::size_t usual = 0)
      : scaling(plan, usual, retries) {
    load.slots.resize(plan.spare->slots.size());
  }

  Scaling scaling;
  Load load;
  Time now = Time() + std::chrono::hours(1);
  std::uint64_t last = 0;  // launch
  std::string refuses;     // every submission, because

  // What has been asked for so far.
  std::vector<Scaling::UnitLaunch> unit_launches;
  Slots dismissed;
  std::vector<std::uint64_t> withdrawn;  // launches
  std::vector<std::string> told;
  std::vector<std::pair<Size, std::string>> unavailable;
  int refused = 0;

  Slots slots_launched() const {
    Slots slots;
    for (const Scaling::UnitLaunch& unit_launch : unit_launches)
      slots.insert(slots.end(), unit_launch.part.slots.begin(), unit_launch.part.slots.end());
    return slots;
  }

  Scaling::Decision look() {
    Scaling::Sight sight{[this](std::uint64_t number) -> const Launch* {
                           auto found = launches_.find(number);
                           return found == launches_.end() ? nullptr : &found->second;
                         },
                         [this](std::size_t slot) { return has_launch(slot, false); }};
    Scaling::Decision decision = scaling.decide(now, load, sight);
    for (const Scaling::UnitLaunch& unit_launch : decision.unit_launches) take(unit_launch);
    for (std::size_t slot : decision.dismiss) {
      bool is_large = launch_of(slot) != nullptr && scaling.size_of(launch_of(slot)->number()) != Size();
      REQUIRE((is_large || !load.slots[slot].busy));
      load.slots[slot].leaving = true;
      dismissed.push_back(slot);
    }
    for (std::uint64_t number : decision.withdraw) {
      REQUIRE(launches_.at(number).on_withdrawn(now));
      withdrawn.push_back(number);
    }
    told.insert(told.end(), decision.tell.begin(), decision.tell.end());
    unavailable.insert(unavailable.end(), decision.unavailable.begin(), decision.unavailable.end());
    // The dispatcher gives up on their tasks.
    for (const auto& [size, why] : decision.unavailable)
      std::erase_if(load.larger, [&size = size](const auto& need) { return covers(need.first, size); });
    return decision;
  }

  // Looks at least every second.
  void pass(std::chrono::milliseconds time) {
    Time end = now + time;
    for (look(); now < end; look()) now = std::min<Time>(end, now + std::chrono::seconds(1));
  }

  // Looks when that was asked for, and never else.
  void follow_looks(std::chrono::milliseconds time) {
    Time end = now + time;
    for (std::optional<Time> next = look().look_again; next && *next <= end; next = look().look_again) {
      REQUIRE(*next > now);
      now = *next;
    }
    now = end;
  }

  void join(std::size_t slot, std::optional<std::chrono::milliseconds> left = {}) {
    SlotLoad& there = load.slots[slot];
    there = {true, false, false, now, std::nullopt};
    if (left) there.drain_begin = now + *left;
    if (Launch* launch = launch_of(slot)) launch->on_daemon_joined(now);
  }

  void leave(std::size_t slot) {
    load.slots[slot] = {};
    if (Launch* launch = launch_of(slot)) launch->on_daemon_left(now);
  }

  void set_busy(std::size_t slot) {
    load.slots[slot].busy = true;
    load.slots[slot].idle_since.reset();
  }

  void end(std::uint64_t launch, int code) {
    JobReport report;
    report.state = JobState::ended;
    report.exit_code = code;
    launches_.at(launch).on_report(now, report);
  }

  // Back into the queue of the batch system.
  void requeue(std::uint64_t launch) {
    JobReport report;
    report.state = JobState::pending;
    report.cause = cause::node_fail;
    launches_.at(launch).on_report(now, report);
  }

  void fail(std::uint64_t launch, const std::string& why) {
    launches_.at(launch).on_error(now, cause::plugin, why);
  }

  void fail_as_full(std::uint64_t launch) {
    launches_.at(launch).on_error(now, cause::submit_limit, "Slurm takes no more jobs now");
  }

  void launch_by_hand(std::size_t slot) {
    if (load.slots[slot].online || has_launch(slot, true)) return;
    add_launch({slot});
  }

  // One thing that daemons and jobs do.
  template <class Any>
  void anything(const Any& any) {
    std::size_t slot = any(load.slots.size());
    SlotLoad& there = load.slots[slot];
    if (there.online) return change(slot, any);
    Launch* launch = launch_of(slot);
    if (launch == nullptr || launch->has_ended()) return;
    switch (any(6)) {
      case 0: return fail(launch->number(), "it has failed");
      case 1: return end(launch->number(), static_cast<int>(any(2)));
      case 2: return;
      default:
        if (any(2) == 0) return join(slot);
        return join(slot, std::chrono::seconds(any(7200)));
    }
  }

 private:
  template <class Any>
  void change(std::size_t slot, const Any& any) {
    SlotLoad& there = load.slots[slot];
    if (there.drain_begin && now >= *there.drain_begin) there.leaving = true;
    if (there.busy && any(2) == 0) {
      there.busy = false;
      there.idle_since = now;
    } else if (!there.busy && !there.leaving && any(3) > 0) {
      set_busy(slot);
    } else if (there.leaving || any(4) == 0) {
      leave(slot);
    }
  }

  void take(const Scaling::UnitLaunch& unit_launch) {
    REQUIRE(unit_launch.part.slots.size() == unit_launch.units.size() * scaling.unit_size());
    REQUIRE(unit_launch.part.streams.size() == unit_launch.part.slots.size());
    for (std::size_t slot : unit_launch.part.slots) {
      REQUIRE_FALSE(load.slots[slot].online);
      REQUIRE_FALSE(has_launch(slot, false));
    }
    if (!refuses.empty()) {
      ++refused;
      return scaling.on_refused(now, unit_launch, refuses);
    }
    std::uint64_t first = last + 1;
    std::size_t size = scaling.unit_size();
    for (std::size_t u = 0; u < unit_launch.units.size(); ++u) {
      auto begin = unit_launch.part.slots.begin() + static_cast<std::ptrdiff_t>(u * size);
      add_launch({begin, begin + static_cast<std::ptrdiff_t>(size)});
    }
    scaling.on_launched(now, unit_launch, first);
    unit_launches.push_back(unit_launch);
  }

  void add_launch(Slots slots) {
    ++last;
    launches_.emplace(last, Launch(last, std::move(slots), "Rscript", false, now));
  }

  Launch* launch_of(std::size_t slot) {
    for (auto each = launches_.rbegin(); each != launches_.rend(); ++each) {
      const Slots& slots = each->second.slots();
      if (std::ranges::find(slots, slot) != slots.end()) return &each->second;
    }
    return nullptr;
  }

  // That may yet bring a daemon; or has one, too.
  bool has_launch(std::size_t slot, bool or_has) const {
    return std::ranges::any_of(launches_, [&](const auto& each) {
      const Launch& launch = each.second;
      bool counts = launch.is_waited_for() || (or_has && launch.joined() > 0);
      return counts && std::ranges::find(launch.slots(), slot) != launch.slots().end();
    });
  }

  std::map<std::uint64_t, Launch> launches_;
};

}  // namespace tenkai
