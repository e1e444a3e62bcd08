// What the elements of one map have in common, and how many of them go to a daemon at a time.
//
// In the queue a map is few tasks, pieces, of many elements each. A daemon that is free gets
// the front of the oldest, as a task of its own. How long it should be, piece_size() says: so
// long that handing it out costs little, and so short that all end at nearly the same time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>

#include "base/bytes.h"

namespace tenkai {

struct MapWork {
  std::uint64_t first = 0;  // the task number of its first element; the others follow
  std::uint64_t count = 0;  // elements
  std::uint64_t sequence = 0;
  Payload shared;           // the function, and what it is given besides an element
  std::uint64_t chunk = 0;  // elements of a piece, where the user says so

  std::uint64_t received = 0;         // elements, so far
  std::uint64_t left = 0;             // elements that are not resolved
  std::uint64_t waiting = 0;          // elements in queues
  std::set<std::uint64_t> pieces;     // the first elements of those that are not resolved
  std::set<std::uint64_t> cancelled;  // elements of pieces that run
  double us_per_element = 0;          // as measured; 0: not yet

  bool has(std::uint64_t element) const { return element >= first && element - first < count; }
  void on_measured(std::uint64_t wall_us, std::uint64_t elements) {
    double us = std::max(static_cast<double>(wall_us) / static_cast<double>(elements), 0.1);
    us_per_element = us_per_element == 0 ? us : 0.7 * us_per_element + 0.3 * us;
  }
};

// After so long a daemon gives the rest of a piece back: its elements took longer than those
// before them.
inline constexpr std::chrono::milliseconds patience_with_piece{50};

// `takers`: daemons that take tasks. As long as nothing is measured, one at a time.
inline std::uint64_t piece_size(const MapWork& map, std::size_t takers) {
  constexpr double usual_us = 20'000, least_us = 1'000;
  if (map.chunk > 0) return map.chunk;
  if (map.us_per_element == 0) return 1;
  // Half of what each would get, so that pieces shrink towards the end.
  double share =
      static_cast<double>(map.waiting) / (2 * static_cast<double>(std::max<std::size_t>(takers, 1)));
  double size = std::min(usual_us / map.us_per_element, std::max(share, least_us / map.us_per_element));
  return static_cast<std::uint64_t>(std::max(size, 1.0));
}

}  // namespace tenkai
