// Measures what the evaluation of a task uses.
#pragma once

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
  Usage stop() const;

 private:
  std::uint64_t peak(std::uint64_t told) const;  // `told`: by getrusage(), 1024 bytes each

  int reset_ = -1;  // where the kernel is told to forget the peak so far
  // What this process began with: the size of the one that has started it. 0: nothing.
  std::uint64_t inherited_kb_ = 0;
  Usage before_;  // counters that only go up
};

}  // namespace tenkai
