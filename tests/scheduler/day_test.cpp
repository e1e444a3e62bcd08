// A day of a group whose jobs last an hour: tasks of very different lengths come at any
// time, and daemons go and are replaced. Seeded, so that each run is the same.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <variant>

#include "tests/catch.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

class Day {
 public:
  static constexpr std::size_t slots = 20;
  static constexpr milliseconds job{3600s};

  explicit Day(bool all_are_honest) : all_are_honest_(all_are_honest) {
    Rules rules;
    rules.retries.outside = 1000;
    dispatcher_ = Dispatcher(rules, slots);
    dispatcher_.on_session_joined(now_, 1);
    // They were not all submitted at the same moment.
    for (std::size_t slot = 0; slot < slots; ++slot)
      after(milliseconds(97s) * slot, [this, slot] { join(slot); });
    after(1s, [this] { submit(); });
  }

  void run() {
    while (!events_.empty() || dispatcher_.next_timer()) {
      std::optional<Time> timer = dispatcher_.next_timer();
      if (timer && (events_.empty() || *timer < events_.begin()->first)) {
        now_ = std::max(now_, *timer);
        carry_out(dispatcher_.on_timer(now_));
        continue;
      }
      auto next = events_.begin();
      now_ = next->first;
      auto action = std::move(next->second);
      events_.erase(next);
      action();
      if (now_ > at(30h)) return;
    }
  }

  std::uint64_t submitted = 0;
  std::uint64_t resolved = 0;
  std::uint64_t failed = 0;
  std::uint64_t honest_lost = 0;  // attempts whose end was the job's, though their request was honest
  std::uint64_t others_lost = 0;
  milliseconds busy{0};  // in tasks that came to their end
  milliseconds held{0};

 private:
  struct Joined {
    std::size_t slot;
    Time since;
    Time end;
  };
  struct Work {
    milliseconds length;
    bool honest;
  };

  void after(milliseconds wait, std::function<void()> action) {
    events_.emplace(now_ + wait, std::move(action));
  }

  void join(std::size_t slot) {
    if (now_ > at(24h) && dispatcher_.unresolved() == 0) return;
    DaemonId id = ++last_daemon_;
    daemons_[id] = {slot, now_, now_ + job};
    carry_out(dispatcher_.on_daemon_joined(now_, id, slot, job));
    // The batch system knows no mercy.
    after(job, [this, id] { leave(id, Cause::Kind::time_limit); });
  }

  void leave(DaemonId id, Cause::Kind kind) {
    auto found = daemons_.find(id);
    if (found == daemons_.end()) return;
    Joined gone = found->second;
    daemons_.erase(found);
    held += std::chrono::duration_cast<milliseconds>(now_ - gone.since);
    if (auto running = running_.find(id); running != running_.end()) {
      (works_[running->second.key.task].honest ? honest_lost : others_lost)++;
      running_.erase(running);
    }
    carry_out(dispatcher_.on_daemon_left(now_, id, {kind, "is gone"}));
    after(5s, [this, slot = gone.slot] { join(slot); });
  }

  // Mostly seconds, now and then the better part of an hour.
  void submit() {
    double seconds = std::min(10 * std::pow(1 - uniform_(random_), -1 / 1.1), 3000.0);
    Work work{milliseconds(static_cast<std::int64_t>(seconds * 1000)),
              all_are_honest_ || uniform_(random_) < 0.5};
    works_[++submitted] = work;
    Submit what = task(submitted);
    if (work.honest) what.time_request = work.length + work.length / 10;
    carry_out(dispatcher_.on_submit(now_, 1, what));
    if (now_ < at(24h))
      after(milliseconds(static_cast<std::int64_t>(-4000 * std::log(1 - uniform_(random_)))),
            [this] { submit(); });
  }

  void carry_out(const Sends& sends) {
    for (const Send& send : sends) {
      if (const auto* assign = std::get_if<Assign>(&send)) {
        running_[assign->daemon] = *assign;
        after(works_[assign->key.task].length, [this, what = *assign] { finish(what); });
      } else if (const auto* resolve = std::get_if<Resolve>(&send)) {
        ++resolved;
        if (resolve->code != Code::none) ++failed;
      } else if (const auto* dismiss = std::get_if<Dismiss>(&send)) {
        after(1s, [this, id = dismiss->daemon] { leave(id, Cause::Kind::goodbye); });
      } else if (const auto* back = std::get_if<HandBack>(&send)) {
        after(0s, [this, id = back->daemon] { leave(id, Cause::Kind::time_limit); });
      }
    }
  }

  void finish(const Assign& what) {
    auto running = running_.find(what.daemon);
    if (running == running_.end() || running->second.key != what.key ||
        running->second.attempt != what.attempt)
      return;
    running_.erase(running);
    busy += works_[what.key.task].length;
    carry_out(dispatcher_.on_finished(now_, what.daemon, what.key, what.attempt, {}, false, false));
  }

  const bool all_are_honest_;
  Time now_ = at(0s);
  Dispatcher dispatcher_{Rules(), 0};
  std::multimap<Time, std::function<void()>> events_;
  std::map<DaemonId, Joined> daemons_;
  std::map<DaemonId, Assign> running_;
  std::map<std::uint64_t, Work> works_;
  DaemonId last_daemon_ = 0;
  std::mt19937_64 random_{20261127};
  std::uniform_real_distribution<double> uniform_{0, 1};
};

}  // namespace

TEST_CASE("in a day of jobs that end, no task is lost to the clock whose time request was honest") {
  bool all_are_honest = GENERATE(true, false);
  Day day(all_are_honest);
  day.run();

  CAPTURE(all_are_honest, day.others_lost, day.busy.count(), day.held.count());
  CHECK(day.submitted > 20'000);
  CHECK(day.resolved == day.submitted);
  CHECK(day.failed == 0);
  CHECK(day.honest_lost == 0);
  // The others show that there was something to lose.
  CHECK((day.others_lost > 0) == !all_are_honest);
}
