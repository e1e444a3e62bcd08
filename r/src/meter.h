// Measures what the evaluation of a task uses.
//
// What tasks use of the processor that take less than a millisecond is told with the next one
// that ends a millisecond after the last that was told, so that all of it is told once; and the
// peak of their memory may be that of one within that millisecond.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/frame.h"

namespace tenkai {

class Meter {
 public:
  Meter();
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void start();
  Usage stop();

 private:
  using Clock = std::chrono::steady_clock;

  std::uint64_t peak(std::uint64_t told) const;  // `told`: by getrusage(), 1024 bytes each

  int reset_ = -1;  // where the kernel is told to forget the peak so far
  // What this process began with: the size of the one that has started it. 0: nothing.
  std::uint64_t inherited_kb_ = 0;
  bool is_peak_old_ = true;  // that of a task which was told
  Clock::time_point begun_;
  Clock::time_point asked_;    // when the kernel told, and what
  std::uint64_t cpu_us_ = 0;   // so far
  std::uint64_t peak_kb_ = 0;  // since the last reset
};

}  // namespace tenkai
