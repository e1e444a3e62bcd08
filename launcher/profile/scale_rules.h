// How many daemons a profile wants, and how soon: its keys scale.*.
#pragma once

#include <chrono>
#include <cstddef>

namespace tenkai {

struct ScaleRules {
  std::size_t min = 0;  // daemons
  std::size_t max = 1;  // daemons; only whole units that fit into it are launched
  double backlog = 1;   // so many tasks that wait for a while ask for one more daemon
  std::chrono::milliseconds idle = std::chrono::minutes(5);
  std::size_t chunk = 1;  // daemons of a unit, at most `max`
  // Between submissions. The controller of a batch system serves everybody, and what is
  // asked for together is one array to it. A site that caps submissions has a longer one.
  std::chrono::milliseconds pace = std::chrono::seconds(1);

  bool operator==(const ScaleRules&) const = default;
};

}  // namespace tenkai
