// What a task has used: processor time, and how much memory its R had at most.
#pragma once

#include <cstdint>

namespace tenkai {

struct Usage {
  std::uint64_t cpu_us = 0;   // user and system, of this process and its threads
  std::uint64_t peak_kb = 0;  // of memory that was resident, 1024 bytes each
};

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
  std::uint64_t cpu_before_ = 0;
};

}  // namespace tenkai
