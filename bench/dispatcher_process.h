// A real `tenkai dispatcher`, started and watched from outside.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "bench/stream.h"

namespace tenkai::bench {

class DispatcherProcess {
 public:
  // Starts it and sets up `slots` slots at addresses of its own choice; `open`: one address
  // for them all, which needs half as many descriptors.
  DispatcherProcess(const std::string& program, std::size_t slots, bool open = false);
  // Ends it, and waits until it has ended.
  ~DispatcherProcess();
  DispatcherProcess(const DispatcherProcess&) = delete;
  DispatcherProcess& operator=(const DispatcherProcess&) = delete;

  Stream& session() { return session_; }
  const std::vector<std::string>& urls() const { return urls_; }
  // A daemon that has been welcomed at this slot.
  Stream join(std::size_t slot) const;

  // Microseconds of processor time, user and system, since it started. Exact: it
  // does not come in ticks of a clock.
  double cpu_us() const;
  // Bytes of memory that are its own, in the computer's memory.
  double resident_bytes() const;
  // How often one of its threads went to sleep.
  double voluntary_switches() const;

 private:
  pid_t pid_ = -1;
  Stream session_;
  std::vector<std::string> urls_;
};

}  // namespace tenkai::bench
