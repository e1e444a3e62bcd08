// What time brings for daemons: at most one of a kind for each. Pure.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "scheduler/tasks.h"

namespace tenkai {

class DaemonTimers {
 public:
  enum class Kind : std::uint8_t {
    kill,       // it was interrupted, and has not obeyed
    drain,      // its job ends soon: Drain::begin
    hand_back,  // ... and very soon: Drain::deadline
  };
  struct Due {
    Kind kind;
    DaemonId daemon;
  };

  void set(Time at, Kind kind, DaemonId daemon) { times_.emplace(at, kind, daemon); }
  void drop(Time at, Kind kind, DaemonId daemon) { times_.erase({at, kind, daemon}); }

  std::optional<Time> next() const {
    return times_.empty() ? std::nullopt : std::optional<Time>(std::get<Time>(*times_.begin()));
  }
  // Those that are due, in their order; they are dropped.
  std::vector<Due> take_due(Time now) {
    std::vector<Due> due;
    while (!times_.empty() && std::get<Time>(*times_.begin()) <= now) {
      auto [at, kind, daemon] = times_.extract(times_.begin()).value();
      due.push_back({kind, daemon});
    }
    return due;
  }

 private:
  std::set<std::tuple<Time, Kind, DaemonId>> times_;
};

}  // namespace tenkai
