// What there is to do, and who is there to do it: for whoever decides how many daemons
// there should be.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/size.h"

namespace tenkai {

struct SlotLoad {
  using Time = std::chrono::steady_clock::time_point;

  bool online = false;
  bool busy = false;
  bool leaving = false;             // it is given nothing any more
  std::optional<Time> idle_since;   // where it is not busy
  std::optional<Time> drain_begin;  // where its job has an end
};

struct Load {
  std::size_t queued = 0;                            // that any daemon with enough time left can take
  std::vector<std::pair<Size, std::size_t>> larger;  // ... and those for larger ones, by need
  std::vector<SlotLoad> slots;
};

}  // namespace tenkai
