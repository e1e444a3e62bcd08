#include "tests/launcher/simulated_site.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>
#include <variant>

namespace tenkai::tests {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using State = ScaleUnit::State;

constexpr milliseconds start_of_r = 2s;  // in a job that has begun
constexpr milliseconds goodbye = 1s;     // from being told to until it is gone

Rules rules_with(Retries retries) {
  Rules rules;
  rules.retries = std::move(retries);
  return rules;
}

// Twice as many as there may be, as the launcher has them.
std::size_t units_of(const ScaleRules& scale) {
  std::size_t chunk = std::min(scale.chunk, scale.max);
  return (2 * scale.max + chunk - 1) / chunk;
}

std::size_t chunk_of(const ScaleRules& scale) { return std::min(scale.chunk, scale.max); }

milliseconds between(Time from, Time to) { return std::chrono::duration_cast<milliseconds>(to - from); }

}  // namespace

SimulatedSite::SimulatedSite(SiteRules rules)
    : rules_(std::move(rules)),
      now_(Time() + 1h),
      dispatcher_(rules_with(rules_.retries), units_of(rules_.scale) * chunk_of(rules_.scale)),
      scale_(rules_.scale),
      units_(units_of(rules_.scale)),
      random_(rules_.seed) {
  dispatcher_.on_session_joined(now_, 1);
  after(0s, [] {});
}

void SimulatedSite::after(milliseconds wait, std::function<void()> action) {
  events_.emplace(now_ + wait, std::move(action));
}

void SimulatedSite::run(Time until) {
  for (;;) {
    std::optional<Time> next = look_again_;
    std::optional<Time> timer = dispatcher_.next_timer();
    if (timer && (!next || *timer < *next)) next = timer;
    bool is_event = !events_.empty() && (!next || events_.begin()->first <= *next);
    if (is_event) next = events_.begin()->first;
    if (!next || *next > until) break;
    now_ = std::max(now_, *next);
    if (is_event) {
      std::function<void()> action = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      action();
    } else if (timer && *timer <= now_) {
      carry_out(dispatcher_.on_timer(now_));
    }
    watch();
    think();
  }
}

double SimulatedSite::chance() { return std::uniform_real_distribution<double>(1e-12, 1 - 1e-12)(random_); }

milliseconds SimulatedSite::pareto(double least, double alpha, double most) {
  double seconds = std::min(least * std::pow(chance(), -1 / alpha), most);
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

milliseconds SimulatedSite::lognormal(double median, double sigma, double most) {
  double normal = std::sqrt(-2 * std::log(chance())) * std::cos(2 * 3.141592653589793 * chance());
  double seconds = std::min(median * std::exp(sigma * normal), most);
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void SimulatedSite::submit(milliseconds length, bool honest) {
  works_[++submitted] = {length, honest};
  Submit submit;
  submit.task = submitted;
  submit.payload = make_payload("x");
  if (honest) submit.time_request = length + length / 10;
  carry_out(dispatcher_.on_submit(now_, 1, submit));
}

std::size_t SimulatedSite::capacity() const {
  return static_cast<std::size_t>(std::ranges::count_if(daemons_, [this](const auto& each) {
    const Joined& daemon = each.second;
    return !daemon.leaving && (!daemon.drain_begin || now_ < *daemon.drain_begin);
  }));
}

std::size_t SimulatedSite::units_held() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(units_, [](const Unit& unit) { return unit.state != State::vacant; }));
}

milliseconds SimulatedSite::held() const {
  milliseconds all = held_;
  for (const Unit& unit : units_)
    if (unit.began) all += between(*unit.began, now_) * chunk_of(rules_.scale);
  return all;
}

milliseconds SimulatedSite::busy() const {
  milliseconds all = busy_;
  for (const auto& [id, daemon] : daemons_)
    if (daemon.running) all += between(daemon.running_since, now_);
  return all;
}

double SimulatedSite::idle_share() const {
  auto all = static_cast<double>(held().count());
  return all == 0 ? 0 : 1 - static_cast<double>(busy().count()) / all;
}

std::string SimulatedSite::figures() const {
  auto one_decimal = [](double number) {
    std::string text = std::to_string(number);
    return text.substr(0, text.find('.') + 2);
  };
  auto hours = [&](milliseconds time) { return one_decimal(static_cast<double>(time.count()) / 3.6e6); };
  return std::to_string(submitted) + " tasks, " + std::to_string(resolved) + " resolved, " +
         std::to_string(lost) + " lost; " + std::to_string(honest_cut) + " honest and " +
         std::to_string(others_cut) + " other attempts cut off; " + hours(held()) + " h held, " +
         hours(busy()) + " h busy, idle " + one_decimal(100 * idle_share()) + " %; " +
         std::to_string(submissions) + " submissions of " + std::to_string(launches) + " units, " +
         std::to_string(withdrawn) + " of them withdrawn, at most " + std::to_string(most_units) +
         " at a time";
}

// What the launcher does after each event.
void SimulatedSite::think() {
  ScaleDecision decision = scale_.decide(now_, view());
  look_again_ = decision.look_again;
  if (!decision.farewell.empty()) told.push_back(decision.farewell);
  for (std::size_t u : decision.dismiss) dismiss(u);
  for (std::size_t u : decision.withdraw) {
    Unit gone = std::exchange(units_[u], {});
    if (gone.began) held_ += between(*gone.began, now_) * chunk_of(rules_.scale);
    ++withdrawn;
  }
  if (!decision.launch.empty()) launch(decision.launch);
  most_units = std::max(most_units, units_held());
}

ScaleView SimulatedSite::view() const {
  ScaleView view;
  view.queued = dispatcher_.queued();
  for (const Unit& unit : units_) view.units.push_back(view_of(unit));
  return view;
}

ScaleUnit SimulatedSite::view_of(const Unit& unit) const {
  ScaleUnit seen;
  seen.state = unit.state;
  seen.since = unit.state == State::online ? unit.came : unit.launched;
  seen.leaving = unit.leaving;
  if (unit.state != State::online) return seen;
  seen.daemons = unit.daemons.size();
  Time idle_since = unit.came;
  for (DaemonId id : unit.daemons) {
    const Joined& daemon = daemons_.at(id);
    if (daemon.running) ++seen.busy;
    idle_since = std::max(idle_since, daemon.idle_since);
    if (daemon.leaving || (daemon.drain_begin && now_ >= *daemon.drain_begin)) seen.leaving = true;
    seen.drain_begin = daemon.drain_begin;
  }
  if (seen.busy == 0) seen.idle_since = idle_since;
  return seen;
}

void SimulatedSite::launch(const std::vector<std::size_t>& which) {
  ++submissions;
  for (std::size_t u : which) {
    ++launches;
    Unit& unit = units_[u];
    unit = {};
    unit.state = State::launching;
    unit.job = ++last_job_;
    unit.launched = now_;
    SiteRules::Fate fate = rules_.fate(random_);
    after(fate.wait, [this, u, job = unit.job, fate] {
      if (units_[u].job == job) come(u, fate);
    });
  }
}

void SimulatedSite::come(std::size_t u, const SiteRules::Fate& fate) {
  Unit& unit = units_[u];
  if (fate.fails) {
    scale_.on_failed(now_, unit.launched, "the job has failed");
    unit = {};
    return;
  }
  std::uint64_t job = unit.job;
  if (rules_.job) {
    unit.end = now_ + *rules_.job;
    after(*rules_.job, [this, u, job] { end_job(u, job, Cause::Kind::time_limit, true); });
  }
  if (fate.dies_after)
    after(start_of_r + *fate.dies_after, [this, u, job] { end_job(u, job, Cause::Kind::lost, false); });
  unit.began = now_;
  after(start_of_r, [this, u, job] { join(u, job); });
}

void SimulatedSite::join(std::size_t u, std::uint64_t job) {
  Unit& unit = units_[u];
  if (unit.job != job) return;
  unit.state = State::online;
  unit.came = now_;
  scale_.on_came(now_, unit.launched);
  for (std::size_t i = 0; i < chunk_of(rules_.scale); ++i) {
    DaemonId id = ++last_daemon_;
    unit.daemons.push_back(id);
    Joined& daemon = daemons_[id];
    daemon.unit = u;
    daemon.idle_since = now_;
    std::optional<milliseconds> left;
    if (unit.end) {
      left = between(now_, *unit.end);
      daemon.drain_begin = Drain::in(now_, *left).begin;
    }
    carry_out(dispatcher_.on_daemon_joined(now_, id, u * chunk_of(rules_.scale) + i, left));
  }
}

void SimulatedSite::dismiss(std::size_t u) {
  units_[u].leaving = true;
  std::vector<DaemonId> all = units_[u].daemons;
  for (DaemonId id : all) {
    daemons_.at(id).leaving = true;
    carry_out(dispatcher_.on_daemon_leaving(now_, id));
    after(goodbye, [this, id] { leave(id, Cause::Kind::goodbye, true); });
  }
}

void SimulatedSite::leave(DaemonId id, Cause::Kind kind, bool expected) {
  auto found = daemons_.find(id);
  if (found == daemons_.end()) return;
  Joined gone = found->second;
  daemons_.erase(found);
  if (gone.running) {
    busy_ += between(gone.running_since, now_);
    if (kind == Cause::Kind::time_limit) (works_[gone.running->key.task].honest ? honest_cut : others_cut)++;
  }
  Unit& unit = units_[gone.unit];
  std::erase(unit.daemons, id);
  carry_out(dispatcher_.on_daemon_left(now_, id, {kind, "is gone"}));
  if (unit.daemons.empty() && unit.state == State::online) empty(gone.unit, expected);
}

void SimulatedSite::end_job(std::size_t u, std::uint64_t job, Cause::Kind kind, bool expected) {
  if (units_[u].job != job) return;
  std::vector<DaemonId> all = units_[u].daemons;
  for (DaemonId id : all) leave(id, kind, expected);
}

// Its last daemon has left, so its job ends.
void SimulatedSite::empty(std::size_t u, bool expected) {
  Unit gone = units_[u];
  units_[u] = {};
  held_ += between(*gone.began, now_) * chunk_of(rules_.scale);
  scale_.on_gone(now_, gone.launched, gone.came, expected, "the job has died");
}

void SimulatedSite::carry_out(const Sends& sends) {
  for (const Send& send : sends) {
    if (const auto* assign = std::get_if<Assign>(&send)) {
      start(*assign);
    } else if (const auto* resolve = std::get_if<Resolve>(&send)) {
      ++resolved;
      if (resolve->code != Code::none) ++lost;
    } else if (const auto* dismiss = std::get_if<Dismiss>(&send)) {
      daemons_.at(dismiss->daemon).leaving = true;
      after(goodbye, [this, id = dismiss->daemon] { leave(id, Cause::Kind::goodbye, true); });
    } else if (const auto* back = std::get_if<HandBack>(&send)) {
      after(0s, [this, id = back->daemon] { leave(id, Cause::Kind::time_limit, true); });
    }
  }
}

void SimulatedSite::start(const Assign& what) {
  Joined& daemon = daemons_.at(what.daemon);
  daemon.running = what;
  daemon.running_since = now_;
  after(works_[what.key.task].length, [this, what] { finish(what); });
}

void SimulatedSite::finish(const Assign& what) {
  auto found = daemons_.find(what.daemon);
  if (found == daemons_.end() || !found->second.running) return;
  Joined& daemon = found->second;
  if (daemon.running->key != what.key || daemon.running->attempt != what.attempt) return;
  daemon.running.reset();
  daemon.idle_since = now_;
  busy_ += between(daemon.running_since, now_);
  carry_out(dispatcher_.on_finished(now_, what.daemon, what.key, what.attempt, {}, false, false));
}

}  // namespace tenkai::tests
