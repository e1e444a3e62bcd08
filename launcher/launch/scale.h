// How many daemons there should be: decided here, from what waits, what is there and
// what became of earlier launches. No clock, no process.
//
// Words. A *unit* is what is launched and let go together: the slots of one agent, unit u
// those from u * chunk on. A unit *counts* while it is being launched, and while it is
// online and has more time before its drain begins than a new one would take to come; so the
// one that replaces it is launched before it is lost, and there are more units than `max`
// needs, to have somewhere to put it. What is lost, or could not be launched, does not
// count either: that is all there is to bringing it back.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "launcher/profile/scale_rules.h"

namespace tenkai {

struct ScaleUnit {
  using Time = std::chrono::steady_clock::time_point;
  enum class State { vacant, launching, online };

  State state = State::vacant;
  Time since{};             // launching: told to be; online: its first daemon came
  std::size_t daemons = 0;  // online: that are there
  std::size_t busy = 0;     // ... and have something to do
  // Online, and none is busy: since when. Also that of one that never had anything to do.
  std::optional<Time> idle_since = {};
  std::optional<Time> drain_begin = {};  // Drain::begin, where its job has an end
  // Nothing is given to it any more: dismissed, draining, or warned of its end.
  bool leaving = false;
};

struct ScaleView {
  // Tasks that wait, and that a daemon of a fresh job could take; not those that ask for
  // more time than any has.
  std::size_t queued = 0;
  std::vector<ScaleUnit> units;
};

struct ScaleDecision {
  using Time = std::chrono::steady_clock::time_point;

  std::vector<std::size_t> launch;   // units, by one submission
  std::vector<std::size_t> dismiss;  // units; all their daemons are idle
  // Units that are being launched and are not wanted any more: a job may wait for hours,
  // and would then take a place for nothing.
  std::vector<std::size_t> withdraw;
  // When to decide again, if nothing has happened before; nullopt: only then.
  std::optional<Time> look_again;
  // Once, when no more will be launched: what to tell the user.
  std::string farewell;

  std::size_t wanted = 0;   // daemons, for status
  std::size_t counted = 0;  // ... of which are there or coming, without what is launched now
};

class Scale {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Scale(ScaleRules rules);

  // After anything that may have changed the view, and at `look_again`. What is decided is
  // taken as done: the next view has the units as launching, or leaving.
  ScaleDecision decide(Time now, const ScaleView& view);

  // A unit that was launched at `launched` will not come: its submission failed, or its job
  // ended before any daemon had come. `why`: what follows "because". For units launched
  // before the last failure was known this changes nothing but the reason: they share its trouble.
  void on_failed(Time now, Time launched, const std::string& why);
  // It was not taken because there are too many jobs already. That is no failure of the
  // profile: what has come stays, and the rest is asked for again when one has gone, or
  // later and later.
  void on_full(Time now, Time launched);
  // Its first daemon has come.
  void on_came(Time now, Time launched);
  // A unit that had come is gone. `expected`: it was dismissed, its time was over, or its
  // daemons had done what their limits allow. One that goes otherwise within 30 s is a failure,
  // too. Failures of this kind are forgotten when a unit stays longer, not when others come.
  void on_gone(Time now, Time launched, Time came, bool expected, const std::string& why);

  // Too much has failed: nothing is launched any more. What is idle is still let go.
  bool is_stopped() const { return stopped_; }

 private:
  // Failures of one kind, in a row.
  struct Row {
    int length = 0;
    Time last{};  // while there are any
  };
  // There is no room for more jobs.
  struct Full {
    Time since{};
    std::chrono::milliseconds pause{};
    Time until{};
  };
  // What the units come to.
  struct Sum {
    std::size_t busy = 0;     // daemons that will still need another when they are gone
    std::size_t online = 0;   // daemons that count and are there
    std::size_t counted = 0;  // ... or coming
  };

  std::chrono::milliseconds lead(Time now, const ScaleView& view) const;
  bool counts(Time now, const ScaleUnit& unit, std::chrono::milliseconds lead) const;
  std::size_t worth(Time now, const ScaleUnit& unit, std::chrono::milliseconds lead) const;
  Sum sum(Time now, const ScaleView& view, std::chrono::milliseconds lead) const;
  std::size_t wanted(const Sum& sum, std::size_t lasting) const;
  std::chrono::milliseconds patience() const;
  std::size_t lasting(Time now, std::size_t queued, bool any_counts);
  void watch_idle(Time now, const ScaleView& view);
  void launch(Time now, const ScaleView& view, ScaleDecision& decision);
  void dismiss(Time now, const ScaleView& view, std::chrono::milliseconds lead, Sum sum, std::size_t wanted,
               ScaleDecision& decision) const;
  void withdraw(Time now, const ScaleView& view, const Sum& sum, std::size_t wanted, ScaleDecision& decision);
  void look_ahead(Time now, const ScaleView& view, std::chrono::milliseconds lead,
                  ScaleDecision& decision) const;
  std::optional<Time> earliest_launch() const;
  void count_failure(Row& row, Time now, Time launched, const std::string& why);
  void forgive(Time came, Time seen);

  ScaleRules rules_;
  std::deque<std::chrono::milliseconds> starts_;  // how long the last ones took
  std::optional<Time> submitted_;                 // the last one
  std::optional<Time> surplus_since_;             // more are coming than are wanted
  std::optional<Time> unfit_since_;               // tasks wait, though daemons are idle
  // The fewest tasks that have waited, in this half of the patience and in the one before.
  Time half_begin_{};
  std::size_t fewest_ = 0;
  std::size_t fewest_before_ = 0;
  std::size_t queued_ = 0;  // when last asked
  Row not_come_;
  Row short_lived_;
  std::optional<Full> full_;
  std::string why_;
  bool stopped_ = false;
  bool told_ = false;
};

}  // namespace tenkai
