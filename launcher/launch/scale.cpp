#include "launcher/launch/scale.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "process/restarts.h"

namespace tenkai {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Time = Scale::Time;
using State = ScaleUnit::State;

// After so many failures in a row nothing more is launched.
constexpr int last_rung = static_cast<int>(restart_pauses.size()) + 1;

// Where there may be no more jobs, this long, then twice that, and so on.
constexpr milliseconds first_full_pause = 2min;
constexpr milliseconds last_full_pause = 30min;

// A start is as long as the longest of these, and a little longer.
constexpr std::size_t starts_kept = 8;
constexpr milliseconds first_guess = 30s;  // until one has come
constexpr milliseconds margin = 5s;

// How long tasks have to wait to count, between.
constexpr milliseconds least_patience = 1s;
constexpr milliseconds most_patience = 30s;

// How old a start that has not come is changes while nothing happens.
constexpr milliseconds glance = 10s;

// Idle daemons while tasks wait are a moment's matter, or those tasks want more time than they have.
constexpr milliseconds moment = 1s;

milliseconds between(Time from, Time to) { return std::chrono::duration_cast<milliseconds>(to - from); }

void look_by(ScaleDecision& decision, Time when) {
  if (!decision.look_again || when < *decision.look_again) decision.look_again = when;
}

// It is online, has nothing to do, and is not leaving.
bool is_idle(const ScaleUnit& unit) {
  return unit.state == State::online && !unit.leaving && unit.busy == 0 && unit.idle_since.has_value();
}

bool has_less_time(const ScaleUnit& one, const ScaleUnit& other) {
  return one.drain_begin && (!other.drain_begin || *one.drain_begin < *other.drain_begin);
}

// When a unit no longer counts: so long before its drain begins that another can come until
// then. Half of its life counts in any case: where coming takes longer than staying, all
// would be replaced without end.
Time end_of_counting(const ScaleUnit& unit, milliseconds lead) {
  return *unit.drain_begin - std::min(lead, between(unit.since, *unit.drain_begin) / 2);
}

// Until then it is as good as the next one would be: if nothing that waits is for it, that
// is no reason to launch another.
Time end_of_youth(const ScaleUnit& unit) { return unit.since + between(unit.since, *unit.drain_begin) / 10; }

}  // namespace

Scale::Scale(ScaleRules rules) : rules_(rules) {
  rules_.max = std::max<std::size_t>(rules_.max, 1);
  rules_.min = std::min(rules_.min, rules_.max);
  rules_.chunk = std::clamp<std::size_t>(rules_.chunk, 1, rules_.max);
}

ScaleDecision Scale::decide(Time now, const ScaleView& view) {
  for (const ScaleUnit& unit : view.units)
    if (unit.state == State::online) forgive(unit.since, now);
  watch_idle(now, view);
  milliseconds lead = this->lead(now, view);
  Sum sum = this->sum(now, view, lead);

  ScaleDecision decision;
  std::size_t lasting = this->lasting(now, view.queued, sum.counted > 0);
  decision.wanted = wanted(sum, lasting);
  if (lasting < view.queued) look_by(decision, half_begin_ + patience() / 2);
  decision.counted = sum.counted;
  look_ahead(now, view, lead, decision);
  // What has only just begun to wait is no reason for another daemon, but for one that is here.
  std::size_t needed = wanted(sum, view.queued);
  dismiss(now, view, lead, sum, needed, decision);
  withdraw(now, view, sum, needed, decision);
  launch(now, view, decision);
  if (stopped_ && !told_) {
    told_ = true;
    decision.farewell = why_;
  }
  return decision;
}

void Scale::on_failed(Time now, Time launched, const std::string& why) {
  count_failure(not_come_, now, launched, "5 launches in a row have failed, the last because " + why);
}

void Scale::on_full(Time now, Time launched) {
  if (full_ && launched <= full_->since) return;
  milliseconds pause = full_ ? std::min(2 * full_->pause, last_full_pause) : first_full_pause;
  full_ = Full{now, pause, now + pause};
}

void Scale::on_came(Time now, Time launched) {
  not_come_.length = 0;
  if (full_ && launched > full_->since) full_.reset();
  starts_.push_back(std::max(between(launched, now), milliseconds(0)));
  if (starts_.size() > starts_kept) starts_.pop_front();
}

void Scale::on_gone(Time now, Time launched, Time came, bool expected, const std::string& why) {
  if (full_) full_->until = now;
  if (expected || now - came >= short_life) {
    if (!short_lived_.length || came >= short_lived_.last) short_lived_.length = 0;
    return;
  }
  count_failure(short_lived_, now, launched,
                "the daemons of 5 launches in a row were gone within 30 s, the last because " + why);
}

void Scale::count_failure(Row& row, Time now, Time launched, const std::string& why) {
  if (stopped_) return;
  why_ = "no more daemons are launched: " + why + "; correct the profile, then daemons() again";
  if (row.length > 0 && launched <= row.last) return;
  row.last = now;
  stopped_ = ++row.length >= last_rung;
}

// A unit that stays, and has come since they were too short, ends that row.
void Scale::forgive(Time came, Time seen) {
  if (came >= short_lived_.last && seen - came >= short_life) short_lived_.length = 0;
}

// Tasks are handed out before this is asked. So what waits while daemons are idle is
// nothing that they can take, and they are not those that it needs.
void Scale::watch_idle(Time now, const ScaleView& view) {
  bool unfit = view.queued > 0 && std::ranges::any_of(view.units, [](const ScaleUnit& unit) {
                 return unit.state == State::online && !unit.leaving && unit.busy < unit.daemons;
               });
  if (!unfit) unfit_since_.reset();
  if (unfit && !unfit_since_) unfit_since_ = now;
}

// How long before it is needed a unit is to be launched: no less than those have waited that
// still do.
milliseconds Scale::lead(Time now, const ScaleView& view) const {
  milliseconds longest = starts_.empty() ? first_guess : *std::ranges::max_element(starts_);
  for (const ScaleUnit& unit : view.units)
    if (unit.state == State::launching) longest = std::max(longest, between(unit.since, now));
  return longest + longest / 4 + margin;
}

bool Scale::counts(Time now, const ScaleUnit& unit, milliseconds lead) const {
  if (unit.state != State::online) return unit.state == State::launching;
  return !unit.leaving && (!unit.drain_begin || now < end_of_counting(unit, lead));
}

// How many daemons a unit counts for.
std::size_t Scale::worth(Time now, const ScaleUnit& unit, milliseconds lead) const {
  if (!counts(now, unit, lead)) return 0;
  if (unit.state == State::launching) return rules_.chunk;
  bool unfit = unfit_since_ && now - *unfit_since_ >= moment && unit.drain_begin && now >= end_of_youth(unit);
  return unfit ? unit.busy : unit.daemons;
}

Scale::Sum Scale::sum(Time now, const ScaleView& view, milliseconds lead) const {
  Sum sum;
  for (const ScaleUnit& unit : view.units) {
    std::size_t worth = this->worth(now, unit, lead);
    sum.counted += worth;
    if (unit.state != State::online) continue;
    sum.online += worth;
    // What those do that leave is nearly done, or comes back into the queue.
    if (!unit.leaving) sum.busy += unit.busy;
  }
  return sum;
}

// What is gone before another daemon could come needs none.
milliseconds Scale::patience() const {
  milliseconds shortest = starts_.empty() ? least_patience : *std::ranges::min_element(starts_);
  return std::clamp(shortest, least_patience, most_patience);
}

// How many of the tasks that wait have done so for a while: the fewest that there were in this
// half of it and in the one before. Where no daemon counts, nothing goes by itself.
std::size_t Scale::lasting(Time now, std::size_t queued, bool any_counts) {
  milliseconds half = patience() / 2;
  if (now >= half_begin_ + half) {
    // If nobody has asked for so long, nothing has changed in the meantime.
    fewest_before_ = now >= half_begin_ + 2 * half ? queued_ : fewest_;
    fewest_ = queued_;
    half_begin_ = now;
  }
  queued_ = queued;
  fewest_ = std::min(fewest_, queued);
  return any_counts ? std::min(fewest_, fewest_before_) : queued;
}

std::size_t Scale::wanted(const Sum& sum, std::size_t lasting) const {
  double further = std::ceil(static_cast<double>(lasting) / rules_.backlog);
  double room = static_cast<double>(rules_.max);
  std::size_t more = further < room ? static_cast<std::size_t>(further) : rules_.max;
  return std::clamp(sum.busy + more, rules_.min, rules_.max);
}

// What changes by itself.
void Scale::look_ahead(Time now, const ScaleView& view, milliseconds lead, ScaleDecision& decision) const {
  auto later = [&](Time when) {
    if (when > now) look_by(decision, when);
    return when > now;
  };
  if (unfit_since_) later(*unfit_since_ + moment);
  bool any_has_end = false;
  bool any_comes = false;
  for (const ScaleUnit& unit : view.units) {
    any_comes = any_comes || unit.state == State::launching;
    if (unit.state != State::online || unit.leaving || !unit.drain_begin) continue;
    if (unfit_since_) later(end_of_youth(unit));
    if (later(end_of_counting(unit, lead))) any_has_end = true;
  }
  if (any_comes && any_has_end) later(now + glance);
}

// The one with the least time left first; one that is idle is not let go before those that
// are to be in its place have come. Where there are more than there may be, at once.
void Scale::dismiss(Time now, const ScaleView& view, milliseconds lead, Sum sum, std::size_t wanted,
                    ScaleDecision& decision) const {
  std::vector<std::size_t> idle;
  for (std::size_t u = 0; u < view.units.size(); ++u)
    if (is_idle(view.units[u])) idle.push_back(u);
  std::ranges::stable_sort(idle, [&view](std::size_t one, std::size_t other) {
    return has_less_time(view.units[one], view.units[other]);
  });
  for (std::size_t u : idle) {
    const ScaleUnit& unit = view.units[u];
    std::size_t worth = this->worth(now, unit, lead);
    if (sum.online < wanted + worth) continue;
    Time due = *unit.idle_since + rules_.idle;
    if (due > now && sum.counted <= rules_.max) {
      look_by(decision, due);
      continue;
    }
    decision.dismiss.push_back(u);
    sum.online -= worth;
    sum.counted -= worth;
  }
}

// As patient as with daemons that are idle. The last ones first: those have waited least.
void Scale::withdraw(Time now, const ScaleView& view, const Sum& sum, std::size_t wanted,
                     ScaleDecision& decision) {
  std::size_t surplus = sum.counted > wanted ? (sum.counted - wanted) / rules_.chunk : 0;
  std::vector<std::size_t> coming;
  for (std::size_t u = 0; u < view.units.size(); ++u)
    if (view.units[u].state == State::launching) coming.push_back(u);
  if (surplus == 0 || coming.empty()) return surplus_since_.reset();
  if (!surplus_since_) surplus_since_ = now;
  Time due = *surplus_since_ + rules_.idle;
  if (due > now) return look_by(decision, due);
  std::ranges::stable_sort(coming, [&view](std::size_t one, std::size_t other) {
    return view.units[one].since > view.units[other].since;
  });
  coming.resize(std::min(coming.size(), surplus));
  decision.withdraw = std::move(coming);
  surplus_since_.reset();
}

std::optional<Scale::Time> Scale::earliest_launch() const {
  std::optional<Time> when;
  auto not_before = [&when](Time time) { when = when ? std::max(*when, time) : time; };
  if (submitted_) not_before(*submitted_ + rules_.pace);
  if (full_) not_before(full_->until);
  for (const Row* row : {&not_come_, &short_lived_})
    if (row->length > 0) not_before(row->last + restart_pauses[static_cast<std::size_t>(row->length - 1)]);
  return when;
}

void Scale::launch(Time now, const ScaleView& view, ScaleDecision& decision) {
  if (stopped_ || decision.counted >= decision.wanted) return;
  std::size_t missing = (decision.wanted - decision.counted + rules_.chunk - 1) / rules_.chunk;
  std::size_t units = std::min(missing, (rules_.max - decision.counted) / rules_.chunk);
  std::vector<std::size_t> vacant;
  for (std::size_t u = 0; u < view.units.size() && vacant.size() < units; ++u)
    if (view.units[u].state == State::vacant) vacant.push_back(u);
  if (vacant.empty()) return;
  std::optional<Time> earliest = earliest_launch();
  if (earliest && *earliest > now) return look_by(decision, *earliest);
  submitted_ = now;
  decision.launch = std::move(vacant);
}

}  // namespace tenkai
