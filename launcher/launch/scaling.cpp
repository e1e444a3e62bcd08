#include "launcher/launch/scaling.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/counted.h"
#include "base/random_stream.h"
#include "launcher/profile/enlarge.h"
#include "launcher/profile/value.h"
#include "scheduler/drain.h"

namespace tenkai {
namespace {

using std::chrono::milliseconds;
using State = ScaleUnit::State;

// Larger daemons cost more, and most tasks do not need them: of four daemons one, and no
// longer than this without a task.
constexpr std::size_t share_of_large = 4;
constexpr milliseconds idle_large = std::chrono::minutes(1);
// One that has lost all its daemons is starting them again. What takes longer is not
// counted on, and after a minute its end was not told.
constexpr milliseconds time_to_restart = std::chrono::seconds(10);
constexpr milliseconds time_to_return = std::chrono::minutes(1);
constexpr milliseconds pace_of_larger = std::chrono::seconds(1);

std::optional<std::chrono::seconds> time_of_job(const LaunchPlan::Options& options) {
  auto time = options.find("slurm.time");
  if (time == options.end() || time->second.empty()) return std::nullopt;
  return parse_time_limit(time->second.front());
}

std::size_t daemons_of_unit(const LaunchPlan& plan) {
  return plan.scale ? std::max<std::size_t>(plan.chunk.value_or(1), 1) : 1;
}

std::size_t large_units(std::size_t daemons, std::size_t size) {
  return std::max<std::size_t>(daemons / share_of_large / size, 1);
}

void earlier(std::optional<LaunchTime>& one, std::optional<LaunchTime> other) {
  if (other && (!one || *other < *one)) one = other;
}

// The daemons at these slots, as one unit.
ScaleUnit daemons_at(const std::vector<std::size_t>& slots, const Load& load) {
  ScaleUnit seen;
  std::optional<LaunchTime> idle_since;
  for (std::size_t slot : slots) {
    if (slot >= load.slots.size() || !load.slots[slot].online) continue;
    const SlotLoad& there = load.slots[slot];
    seen.state = State::online;
    ++seen.daemons;
    if (there.busy) ++seen.busy;
    if (there.leaving) seen.leaving = true;
    if (there.idle_since) idle_since = std::max(idle_since.value_or(*there.idle_since), *there.idle_since);
    if (there.drain_begin) seen.drain_begin = there.drain_begin;
  }
  if (seen.busy == 0) seen.idle_since = idle_since;
  return seen;
}

}  // namespace

Scaling::Scaling(const LaunchPlan& plan, std::size_t usual, const Retries& retries)
    : options_(plan.spare->options), factors_(retries.factors) {
  std::size_t size = daemons_of_unit(plan);
  for (std::size_t i = 0; i + size <= plan.spare->slots.size(); i += size) {
    Unit unit;
    for (std::size_t slot = i; slot < i + size; ++slot) {
      unit.slots.push_back(plan.spare->slots[slot]);
      if (!plan.spare->streams.empty()) unit.streams.push_back(plan.spare->streams[slot]);
    }
    units_.push_back(std::move(unit));
  }
  if (plan.scale) {
    ScaleRules rules = *plan.scale;
    rules.chunk = size;
    usual = rules.max;
    backlog_ = rules.backlog;
    scale_.emplace(rules);
  }
  idle_ = plan.scale ? std::min<milliseconds>(plan.scale->idle, idle_large) : idle_large;
  max_large_ = large_units(usual, size);
  if (std::optional<std::chrono::seconds> time = time_of_job(options_)) {
    Time begin{};
    room_ = std::chrono::duration_cast<milliseconds>(Drain::in(begin, *time).begin - begin);
  }
}

std::size_t Scaling::spare_slots(std::size_t daemons, const std::optional<ScaleRules>& scale,
                                 const Factors& factors) {
  std::size_t size = scale ? std::max<std::size_t>(scale->chunk, 1) : 1;
  std::size_t units = (daemons + size - 1) / size;
  std::size_t larger = factors == Factors() ? 0 : large_units(daemons, size) * size;
  return scale ? 2 * units * size - daemons + larger : larger;
}

std::string Scaling::problem(const LaunchPlan& plan, const Retries& retries) {
  if (!plan.spare) return {};
  std::size_t size = daemons_of_unit(plan);
  if (plan.spare->slots.size() < size || (plan.scale && plan.scale->max < size)) {
    return "one agent has more daemons (" + std::to_string(size) + ") than there may be";
  }
  for (Size step : {Size{1, 0}, Size{0, 1}}) {
    bool is_asked_for = step.mem > 0 ? retries.factors.mem != 100 : retries.factors.time != 100;
    if (!is_asked_for) continue;
    Result<Enlarged> larger = enlarge(plan.spare->options, step, retries.factors);
    if (!larger) return larger.error().message;
  }
  return {};
}

// --- what is there ---

ScaleUnit Scaling::look_at(Time now, Unit& unit, const Load& load, const Sight& sight, Decision& decision) {
  ScaleUnit seen = daemons_at(unit.slots, load);
  if (seen.daemons > 0) {
    come(now, unit);
    unit.left.reset();
    if (seen.drain_begin) unit.drain_begin = seen.drain_begin;
    seen.since = *unit.came;
  } else {
    follow(now, unit, sight);
    wait_for(now, unit, seen, decision);
  }
  bool is_awaited = seen.state == State::vacant && std::ranges::any_of(unit.slots, sight.is_awaited);
  // Somebody has a command for it: not ours to use, and nothing to count on. A larger one
  // is not for what anyone could do.
  if (is_awaited || is_large(unit)) seen.state = State::online;
  seen.leaving = seen.leaving || unit.dismissed || is_awaited || is_large(unit);
  return seen;
}

void Scaling::come(Time now, Unit& unit) {
  if (unit.came) return;
  unit.came = now;
  if (!unit.launch) return;
  if (is_large(unit))
    std::erase_if(failed_, [&unit](const auto& each) { return covers(unit.size, each.first); });
  else if (scale_) scale_->on_came(now, unit.launched);
}

// A unit without daemons: what has become of its launch?
void Scaling::follow(Time now, Unit& unit, const Sight& sight) {
  if (!unit.launch) return forget(unit);
  const Launch* launch = sight.launch(*unit.launch);
  LaunchState state = launch == nullptr ? LaunchState::failed : launch->state();
  if (!unit.came && unit.dismissed && state == LaunchState::gone) return forget(unit);
  // Between two looks.
  if (state == LaunchState::joined || state == LaunchState::gone) come(now, unit);
  if (!unit.came) {
    if (state != LaunchState::failed) return;
    std::string why = launch == nullptr ? "it was not heard of again" : launch->failure().message;
    bool is_full = launch != nullptr && launch->failure().cause == cause::submit_limit;
    if (is_large(unit)) failed_.emplace(unit.size, why);
    else if (scale_ && is_full) scale_->on_full(now, unit.launched);
    else if (scale_) scale_->on_failed(now, unit.launched, why);
    return forget(unit);
  }
  if (launch != nullptr && launch->is_waited_for() && !unit.dismissed) return come_again(now, unit);
  if (!unit.left) unit.left = now;
  bool is_over = state == LaunchState::gone || state == LaunchState::failed || launch->has_ended();
  bool time_is_over = unit.drain_begin && now >= *unit.drain_begin;
  if (!is_over && !unit.dismissed && !time_is_over && now < *unit.left + time_to_return) return;
  JobReport evidence = launch == nullptr ? JobReport() : launch->evidence();
  bool expected =
      unit.dismissed || time_is_over || (evidence.exit_code == 0 && evidence.cause == cause::none);
  std::string why = evidence.message.empty() ? "its job has ended" : evidence.message;
  if (scale_ && !is_large(unit)) scale_->on_gone(now, unit.launched, *unit.came, expected, why);
  forget(unit);
}

// Its job was requeued, as after a failure of its node, and will begin anew.
void Scaling::come_again(Time now, Unit& unit) {
  unit.launched = now;
  unit.came.reset();
  unit.left.reset();
  unit.drain_begin.reset();
}

// One that has no daemons and a launch that has not ended.
void Scaling::wait_for(Time now, const Unit& unit, ScaleUnit& seen, Decision& decision) {
  if (!unit.launch) return;
  seen.state = State::launching;
  seen.since = unit.left.value_or(unit.launched);
  if (!unit.left) return;
  // Its agent starts them again, or nobody has told yet that it has gone.
  bool is_late = now >= *unit.left + time_to_restart;
  if (is_late) seen.state = State::online;
  earlier(decision.look_again, *unit.left + (is_late ? time_to_return : time_to_restart));
  earlier(decision.look_again, unit.drain_begin);
}

void Scaling::forget(Unit& unit) {
  unit.launch.reset();
  unit.size = {};
  unit.came.reset();
  unit.left.reset();
  unit.drain_begin.reset();
  unit.dismissed = false;
}

// --- what there should be ---

Scaling::Decision Scaling::decide(Time now, const Load& load, const Sight& sight) {
  Decision decision;
  ScaleView view;
  view.queued = load.queued;
  for (Unit& unit : units_) view.units.push_back(look_at(now, unit, load, sight, decision));
  give_up(decision);
  let_go_of_larger(now, load, view.units, decision);
  launch_larger(now, load, view.units, decision);
  for (const UnitLaunch& each : decision.unit_launches) {
    for (std::size_t u : each.units) {
      view.units[u].state = State::online;
      view.units[u].leaving = true;
    }
  }
  if (!scale_) return decision;
  ScaleDecision scaled = scale_->decide(now, view);
  wanted_ = scaled.wanted;
  if (!scaled.launch.empty()) launch_units(scaled.launch, {}, decision);
  for (std::size_t u : scaled.dismiss) dismiss(units_[u], decision);
  for (std::size_t u : scaled.withdraw) {
    if (units_[u].came) continue;  // its agent starts its R again
    units_[u].dismissed = true;
    decision.withdraw.push_back(*units_[u].launch);
  }
  if (!scaled.farewell.empty()) decision.tell.push_back(scaled.farewell);
  earlier(decision.look_again, scaled.look_again);
  return decision;
}

void Scaling::dismiss(Unit& unit, Decision& decision) {
  unit.dismissed = true;
  decision.dismiss.insert(decision.dismiss.end(), unit.slots.begin(), unit.slots.end());
}

// --- larger ones ---

std::size_t Scaling::count_large(const Size& size) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      units_, [&](const Unit& unit) { return is_large(unit) && covers(unit.size, size); }));
}

bool Scaling::is_known_to_fail(const Size& size) const {
  return std::ranges::any_of(failed_, [&size](const auto& each) { return covers(size, each.first); });
}

// What could not be had is told when nothing as large is there or coming.
void Scaling::give_up(Decision& decision) {
  std::erase_if(failed_, [&](const auto& each) {
    const auto& [size, why] = each;
    if (count_large(size) > 0) return false;
    Result<Enlarged> larger = enlarge(options_, size, factors_);
    std::string words = larger ? " (" + larger->words + ")" : "";
    decision.unavailable.emplace_back(
        size, "the larger job that was asked for" + words + " could not be had: " + why);
    return true;
  });
}

// Whether it is, or will be, of use to tasks that need this.
bool Scaling::helps(Time now, const Unit& unit, const Size& size) {
  bool has_time = !unit.drain_begin || now < *unit.drain_begin;
  return is_large(unit) && covers(unit.size, size) && !unit.dismissed && has_time;
}

// There may be no more larger ones, and none is large enough for something that waits. So
// one has to go, even if it is busy: as long as there are tasks of the usual need, it would
// never be idle.
std::optional<std::size_t> Scaling::in_the_way(Time now, const Load& load,
                                               const std::vector<ScaleUnit>& seen) const {
  auto goes = [](const Unit& unit) { return is_large(unit) && unit.dismissed; };
  if (std::ranges::any_of(units_, goes) || count_large({}) < max_large_) return std::nullopt;
  auto need = std::ranges::find_if(load.larger, [&](const auto& each) {
    auto is_for_it = [&](const Unit& unit) { return helps(now, unit, each.first); };
    return std::ranges::none_of(units_, is_for_it) && !is_known_to_fail(each.first);
  });
  if (need == load.larger.end()) return std::nullopt;
  for (std::size_t u = 0; u < units_.size(); ++u)
    if (is_large(units_[u]) && seen[u].daemons > 0 && !covers(units_[u].size, need->first)) return u;
  return std::nullopt;
}

void Scaling::let_go_of_larger(Time now, const Load& load, const std::vector<ScaleUnit>& seen,
                               Decision& decision) {
  if (std::optional<std::size_t> u = in_the_way(now, load, seen)) dismiss(units_[*u], decision);
  for (std::size_t u = 0; u < units_.size(); ++u) {
    Unit& unit = units_[u];
    if (!is_large(unit) || unit.dismissed || !seen[u].idle_since) continue;
    if (std::ranges::any_of(load.larger, [&unit](const auto& need) { return covers(unit.size, need.first); }))
      continue;
    Time due = *seen[u].idle_since + idle_;
    if (due > now) earlier(decision.look_again, due);
    else dismiss(unit, decision);
  }
}

// How many more units of this size, or larger, are wanted for so many tasks.
std::size_t Scaling::missing(Time now, const Size& size, std::size_t tasks) const {
  auto is_for_it = [&](const Unit& unit) { return helps(now, unit, size); };
  auto there = static_cast<std::size_t>(std::ranges::count_if(units_, is_for_it));
  double wanted = std::ceil(static_cast<double>(tasks) / backlog_ / static_cast<double>(unit_size()));
  double most = static_cast<double>(max_large_);
  std::size_t units = wanted < most ? static_cast<std::size_t>(wanted) : max_large_;
  units = units > there ? units - there : 0;
  return std::min(units, max_large_ - std::min(max_large_, count_large({})));
}

void Scaling::launch_larger(Time now, const Load& load, const std::vector<ScaleUnit>& seen,
                            Decision& decision) {
  auto cannot_be_had = [&](const Size& size) {
    auto is_more = [&size](const auto& each) { return covers(size, each.first); };
    return is_known_to_fail(size) || std::ranges::any_of(decision.unavailable, is_more);
  };
  // Those that need most first: what is launched for them does for the others.
  for (auto need = load.larger.rbegin(); need != load.larger.rend(); ++need) {
    if (cannot_be_had(need->first)) continue;
    std::size_t missing = this->missing(now, need->first, need->second);
    std::vector<std::size_t> vacant;
    for (std::size_t u = units_.size(); u-- > 0 && vacant.size() < missing;)
      if (seen[u].state == State::vacant) vacant.push_back(u);
    if (vacant.empty()) continue;
    if (asked_larger_ && now < *asked_larger_ + pace_of_larger)
      return earlier(decision.look_again, *asked_larger_ + pace_of_larger);
    asked_larger_ = now;
    launch_units(vacant, need->first, decision);
    // One submission at a time.
    return earlier(decision.look_again, now + pace_of_larger);
  }
}

// --- what is asked for ---

void Scaling::launch_units(const std::vector<std::size_t>& units, const Size& size, Decision& decision) {
  UnitLaunch unit_launch;
  unit_launch.units = units;
  unit_launch.size = size;
  Result<Enlarged> larger = enlarge(options_, size, factors_);
  if (!larger) {
    decision.unavailable.emplace_back(
        size, "the larger job that it needs cannot be asked for: " + larger.error().message);
    return;
  }
  unit_launch.part.options = excluding(std::move(larger->options), excluded_);
  for (std::size_t u : units) {
    const Unit& unit = units_[u];
    for (std::size_t i = 0; i < unit.slots.size(); ++i) {
      unit_launch.part.slots.push_back(unit.slots[i]);
      if (!unit.streams.empty())
        unit_launch.part.streams.push_back(substream(unit.streams[i], unit.launches));
    }
  }
  if (size != Size() && told_.insert(larger->words).second) {
    decision.tell.push_back("launches " + counted(unit_launch.part.slots.size(), "daemon") + " with " +
                            larger->words);
  }
  decision.unit_launches.push_back(std::move(unit_launch));
}

void Scaling::on_launched(Time now, const UnitLaunch& unit_launch, std::uint64_t first) {
  for (std::size_t u : unit_launch.units) {
    Unit& unit = units_[u];
    forget(unit);
    ++unit.launches;
    unit.launch = first++;
    unit.size = unit_launch.size;
    unit.launched = now;
  }
}

void Scaling::on_refused(Time now, const UnitLaunch& unit_launch, const std::string& why) {
  if (unit_launch.size != Size()) failed_.emplace(unit_launch.size, why);
  else if (scale_) scale_->on_failed(now, now, why);
}

void Scaling::exclude(const std::string& node) {
  if (std::ranges::find(excluded_, node) == excluded_.end()) excluded_.push_back(node);
}

Size Scaling::size_of(std::uint64_t launch) const {
  for (const Unit& unit : units_)
    if (unit.launch == launch) return unit.size;
  return {};
}

}  // namespace tenkai
