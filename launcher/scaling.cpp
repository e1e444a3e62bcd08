#include "launcher/scaling.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "launcher/enlarge.h"
#include "launcher/profile/value.h"
#include "scheduler/curfew.h"

namespace tenkai {
namespace {

using std::chrono::milliseconds;
using State = ScaleUnit::State;

// Larger daemons cost more, and most tasks do not need them: of four daemons one, and no
// longer than this without a task.
constexpr std::size_t share_of_large = 4;
constexpr milliseconds idle_large = std::chrono::minutes(1);
// One that has come and lost all its daemons is starting them again, or its end was not told.
constexpr milliseconds time_to_return = std::chrono::minutes(1);

std::optional<std::chrono::seconds> time_of_job(const Order::Options& options) {
  auto time = options.find("slurm.time");
  if (time == options.end() || time->second.empty()) return std::nullopt;
  return parse_time_limit(time->second.front());
}

std::size_t daemons_of_unit(const Order& order) {
  return order.scale ? std::max<std::size_t>(order.chunk.value_or(1), 1) : 1;
}

void earlier(std::optional<LaunchTime>& one, std::optional<LaunchTime> other) {
  if (other && (!one || *other < *one)) one = other;
}

}  // namespace

Scaling::Scaling(const Order& order, std::size_t usual, const Retries& retries)
    : options_(order.spare->options), factors_(retries.factors) {
  std::size_t size = daemons_of_unit(order);
  for (std::size_t i = 0; i + size <= order.spare->slots.size(); i += size) {
    Unit unit;
    for (std::size_t slot = i; slot < i + size; ++slot) {
      unit.slots.push_back(order.spare->slots[slot]);
      unit.calls.push_back(order.spare->calls[slot]);
    }
    units_.push_back(std::move(unit));
  }
  if (order.scale) {
    ScaleRules rules = *order.scale;
    rules.chunk = size;
    usual = rules.max;
    backlog_ = rules.backlog;
    scale_.emplace(rules);
  }
  idle_ = order.scale ? std::min<milliseconds>(order.scale->idle, idle_large) : idle_large;
  max_large_ = std::max<std::size_t>(usual / share_of_large / size, 1);
  if (std::optional<std::chrono::seconds> time = time_of_job(options_)) {
    Time begin{};
    room_ = std::chrono::duration_cast<milliseconds>(Curfew::in(begin, *time).last_call - begin);
  }
}

std::string Scaling::problem(const Order& order, const Retries& retries) {
  if (!order.spare) return {};
  std::size_t size = daemons_of_unit(order);
  if (order.spare->slots.size() < size || (order.scale && order.scale->max < size)) {
    return "one agent has more daemons (" + std::to_string(size) + ") than there may be";
  }
  for (Size step : {Size{1, 0}, Size{0, 1}}) {
    bool is_asked_for = step.mem > 0 ? retries.factors.mem != 100 : retries.factors.time != 100;
    if (!is_asked_for) continue;
    Result<Enlarged> larger = enlarge(order.spare->options, step, retries.factors);
    if (!larger) return larger.error().message;
  }
  return {};
}

// --- what is there ---

ScaleUnit Scaling::look_at(Time now, Unit& unit, const Load& load, const Sight& sight) {
  ScaleUnit seen;
  std::optional<Time> idle_since;
  bool leaving = false;
  for (std::size_t slot : unit.slots) {
    if (slot >= load.slots.size() || !load.slots[slot].online) continue;
    const SlotLoad& there = load.slots[slot];
    ++seen.daemons;
    if (there.busy) ++seen.busy;
    leaving = leaving || there.leaving;
    if (there.idle_since) idle_since = std::max(idle_since.value_or(*there.idle_since), *there.idle_since);
    if (there.last_call) seen.last_call = unit.last_call = *there.last_call;
  }
  if (seen.daemons > 0) {
    unit.left.reset();
    if (!unit.came) {
      unit.came = now;
      if (unit.launch && scale_ && !is_large(unit)) scale_->on_came(now, unit.launched);
    }
    seen.state = State::online;
    seen.since = *unit.came;
    if (seen.busy == 0) seen.idle_since = idle_since;
    // A larger one is not for what anyone could do.
    seen.leaving = leaving || unit.dismissed || is_large(unit);
    return seen;
  }
  follow(now, unit, sight);
  if (unit.launch && unit.came) {
    seen.state = State::online;
    seen.since = *unit.came;
    seen.leaving = is_large(unit);
  } else if (unit.launch) {
    seen.state = is_large(unit) ? State::online : State::launching;
    seen.since = unit.launched;
    seen.leaving = is_large(unit);
  } else if (std::ranges::any_of(unit.slots, sight.is_awaited)) {
    // Somebody has a command for it: not ours to use, and nothing to count on.
    seen.state = State::online;
    seen.since = now;
    seen.leaving = true;
  }
  return seen;
}

// A unit without daemons: what has become of its launch?
void Scaling::follow(Time now, Unit& unit, const Sight& sight) {
  if (!unit.launch) {
    unit.came.reset();
    return;
  }
  const Launch* launch = sight.launch(*unit.launch);
  if (!unit.came) {
    if (launch == nullptr || launch->state() == LaunchState::failed) {
      std::string why = launch == nullptr ? "it was not heard of again" : launch->failure().message;
      if (is_large(unit)) failed_.emplace(unit.size, why);
      else if (scale_) scale_->on_failed(now, unit.launched, why);
      forget(now, unit, true, why);
    } else if (launch->state() == LaunchState::gone) {
      // It came and went between two looks.
      unit.came = now;
      forget(now, unit, false, "its job has ended");
    }
    return;
  }
  if (!unit.left) unit.left = now;
  bool is_over = launch == nullptr || launch->state() == LaunchState::gone ||
                 launch->state() == LaunchState::failed || launch->has_ended();
  bool time_is_over = unit.last_call && now >= *unit.last_call;
  bool expected =
      unit.dismissed || time_is_over ||
      (launch != nullptr && launch->evidence().exit_code == 0 && launch->evidence().cause.empty());
  if (is_over || unit.dismissed || time_is_over || now - *unit.left >= time_to_return) {
    std::string why = launch == nullptr || launch->evidence().message.empty() ? "its job has ended"
                                                                              : launch->evidence().message;
    forget(now, unit, expected, why);
  }
}

void Scaling::forget(Time now, Unit& unit, bool expected, const std::string& why) {
  if (unit.came && scale_ && !is_large(unit)) scale_->on_gone(now, unit.launched, *unit.came, expected, why);
  unit.launch.reset();
  unit.size = {};
  unit.came.reset();
  unit.left.reset();
  unit.last_call.reset();
  unit.dismissed = false;
}

// --- what there should be ---

Scaling::Orders Scaling::decide(Time now, const Load& load, const Sight& sight) {
  Orders orders;
  ScaleView view;
  view.queued = load.queued;
  for (Unit& unit : units_) view.units.push_back(look_at(now, unit, load, sight));
  decide_larger(now, load, view.units, orders);
  for (const Wish& each : orders.wishes) {
    for (std::size_t u : each.units) {
      view.units[u].state = State::online;
      view.units[u].leaving = true;
    }
  }
  if (!scale_) return orders;
  ScaleOrders scaled = scale_->decide(now, view);
  wanted_.emplace(scaled.wanted, scaled.counted);
  if (!scaled.launch.empty()) wish(scaled.launch, {}, orders);
  for (std::size_t u : scaled.dismiss) {
    units_[u].dismissed = true;
    orders.dismiss.insert(orders.dismiss.end(), units_[u].slots.begin(), units_[u].slots.end());
  }
  if (!scaled.farewell.empty()) orders.tell.push_back(scaled.farewell);
  earlier(orders.look_again, scaled.look_again);
  return orders;
}

void Scaling::decide_larger(Time now, const Load& load, const std::vector<ScaleUnit>& seen, Orders& orders) {
  for (auto& [size, why] : std::exchange(failed_, {})) {
    Result<Enlarged> larger = enlarge(options_, size, factors_);
    std::string words = larger ? " (" + larger->words + ")" : "";
    orders.unavailable.emplace_back(
        size, "the larger job that was asked for" + words + " could not be had: " + why);
  }
  std::size_t large = 0;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    Unit& unit = units_[u];
    if (!is_large(unit)) continue;
    ++large;
    bool is_needed =
        std::ranges::any_of(load.larger, [&unit](const auto& need) { return covers(unit.size, need.first); });
    if (unit.dismissed || is_needed || !seen[u].idle_since || seen[u].daemons == 0) continue;
    Time due = *seen[u].idle_since + idle_;
    if (due > now) {
      earlier(orders.look_again, due);
      continue;
    }
    unit.dismissed = true;
    orders.dismiss.insert(orders.dismiss.end(), unit.slots.begin(), unit.slots.end());
  }
  // Those that need most first: what is launched for them does for the others.
  for (auto need = load.larger.rbegin(); need != load.larger.rend(); ++need) {
    const Size& size = need->first;
    if (std::ranges::any_of(orders.unavailable,
                            [&size](const auto& each) { return covers(size, each.first); }))
      continue;
    std::size_t there = 0;
    for (std::size_t u = 0; u < units_.size(); ++u) {
      bool takes = is_large(units_[u]) && covers(units_[u].size, size) && !units_[u].dismissed;
      // One that has no time left is no help.
      if (takes && !(units_[u].last_call && now >= *units_[u].last_call)) ++there;
    }
    std::size_t daemons = units_.front().slots.size();
    auto wanted = static_cast<std::size_t>(
        std::ceil(static_cast<double>(need->second) / backlog_ / static_cast<double>(daemons)));
    wanted = std::min(std::max<std::size_t>(wanted, 1), max_large_);
    if (there >= wanted || large >= max_large_) continue;
    std::vector<std::size_t> vacant;
    for (std::size_t u = units_.size();
         u-- > 0 && vacant.size() < std::min(wanted - there, max_large_ - large);) {
      if (seen[u].state == State::vacant) vacant.push_back(u);
    }
    if (vacant.empty()) continue;
    constexpr milliseconds pace = std::chrono::seconds(1);
    if (asked_larger_ && now < *asked_larger_ + pace) {
      earlier(orders.look_again, *asked_larger_ + pace);
      continue;
    }
    asked_larger_ = now;
    wish(vacant, size, orders);
    // One submission at a time.
    earlier(orders.look_again, now + pace);
    break;
  }
}

void Scaling::wish(const std::vector<std::size_t>& units, const Size& size, Orders& orders) {
  Wish wish;
  wish.units = units;
  wish.size = size;
  Result<Enlarged> larger = enlarge(options_, size, factors_);
  if (!larger) {
    orders.unavailable.emplace_back(
        size, "the larger job that it needs cannot be asked for: " + larger.error().message);
    return;
  }
  wish.part.options = excluding(std::move(larger->options), excluded_);
  for (std::size_t u : units) {
    const Unit& unit = units_[u];
    for (std::size_t i = 0; i < unit.slots.size(); ++i) {
      wish.part.slots.push_back(unit.slots[i]);
      wish.part.calls.push_back(with_substream(unit.calls[i], unit.launches));
    }
  }
  if (size != Size() && told_.insert(larger->words).second) {
    orders.tell.push_back("launches " + std::to_string(wish.part.slots.size()) +
                          (wish.part.slots.size() == 1 ? " daemon" : " daemons") + " with " + larger->words);
  }
  orders.wishes.push_back(std::move(wish));
}

void Scaling::on_launched(Time now, const Wish& wish, std::uint64_t first) {
  for (std::size_t u : wish.units) {
    Unit& unit = units_[u];
    ++unit.launches;
    unit.launch = first++;
    unit.size = wish.size;
    unit.launched = now;
    unit.came.reset();
    unit.left.reset();
    unit.last_call.reset();
    unit.dismissed = false;
  }
}

void Scaling::on_refused(Time now, const Wish& wish, const std::string& why) {
  if (wish.size != Size()) failed_.emplace(wish.size, why);
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
