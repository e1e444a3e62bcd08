// Times at which something is due for daemons, at most one of a sort for each.
#pragma once

#include <optional>
#include <set>
#include <utility>

#include "scheduler/tasks.h"

namespace tenkai {

class DaemonTimers {
 public:
  void set(Time at, DaemonId daemon) { times_.emplace(at, daemon); }
  void drop(Time at, DaemonId daemon) { times_.erase({at, daemon}); }

  std::optional<Time> next() const {
    return times_.empty() ? std::nullopt : std::optional<Time>(times_.begin()->first);
  }
  // The first that is due, which is dropped.
  std::optional<DaemonId> take_due(Time now) {
    if (times_.empty() || times_.begin()->first > now) return std::nullopt;
    return times_.extract(times_.begin()).value().second;
  }

 private:
  std::set<std::pair<Time, DaemonId>> times_;
};

}  // namespace tenkai
