// Looks whether processes have more memory than they may.
//
// Where no batch system and no control group does it, one greedy task takes the whole
// node down. Looks every half second, and only while there is something to look at. What
// is resident is a matter of microseconds; where that is too much, the exact count decides,
// and the pause grows so that it takes a tenth of the time at most.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "process/memory_use.h"

namespace tenkai {

namespace asio = boost::asio;

class MemoryWatch {
 public:
  using OnExceeded = std::function<void(pid_t, const MemoryUse&)>;

  // `limit` in bytes, for each process with its descendants. What on_exceeded does not end
  // is told again.
  MemoryWatch(asio::any_io_executor executor, std::uint64_t limit, OnExceeded on_exceeded)
      : timer_(executor), limit_(limit), on_exceeded_(std::move(on_exceeded)) {}

  std::uint64_t limit() const { return limit_; }
  void add(pid_t pid);
  void remove(pid_t pid);

 private:
  void look_after(std::chrono::milliseconds pause);
  void look();

  asio::steady_timer timer_;
  std::uint64_t limit_;
  OnExceeded on_exceeded_;
  std::set<pid_t> watched_;
};

}  // namespace tenkai
