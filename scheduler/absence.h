// While tasks wait and no daemon is here: what their user is told, once each time, and when
// they are given up. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "scheduler/cause.h"
#include "scheduler/prospects.h"
#include "scheduler/rules.h"
#include "scheduler/tasks.h"

namespace tenkai {

class Absence {
 public:
  // `patience` as in Rules.
  Absence(Policy policy, std::optional<std::chrono::milliseconds> patience)
      : policy_(policy), patience_(patience) {}

  void on_joined();
  // The last daemon has left that slot (from 0).
  void on_left(std::size_t slot, const Cause& cause);
  void on_prospects(Prospects prospects);
  void on_nothing_waits();

  // Tasks wait, and no daemon is here. Returns what is to be told now. `usual`: one of them
  // would do with a daemon as large as usual; for others the launcher is looking.
  std::optional<std::string> on_waiting(Time now, bool usual);

  // Whether on_waiting() may have something to tell that it had not before.
  bool may_tell(Time now) const { return tell_at_ && *tell_at_ <= now; }
  void on_told() { tell_at_.reset(); }
  // Whether the tasks that wait are given up now: then why.
  std::optional<std::string> take_end(Time now);

  std::optional<Time> next_timer() const;

 private:
  std::string why() const;

  Policy policy_;
  std::optional<std::chrono::milliseconds> patience_;
  Prospects prospects_;
  std::string why_left_;            // how the last daemon has left, until one joins
  std::size_t last_left_ = 0;       // the number of its slot, from 1
  bool told_ = false;               // that none is here
  std::optional<Time> give_up_at_;  // no daemon can come
  std::optional<Time> tell_at_;     // when to tell that no daemon has come yet, though one may
};

}  // namespace tenkai
