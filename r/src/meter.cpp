#include "meter.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tenkai {

namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000 + static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

// proc(5), /proc/PID/clear_refs: "5" resets the peak of resident memory, which is what
// getrusage() tells as ru_maxrss. One write of one byte for each task; where it is not
// allowed the peak is that of the process so far.
Meter::Meter() : reset_(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)) {}

Meter::~Meter() {
  if (reset_ >= 0) ::close(reset_);
}

void Meter::start() {
  if (reset_ >= 0 && ::pwrite(reset_, "5", 1, 0) != 1) {
    ::close(reset_);
    reset_ = -1;
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  cpu_before_ = microseconds(used.ru_utime) + microseconds(used.ru_stime);
}

Usage Meter::stop() const {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  std::uint64_t cpu = microseconds(used.ru_utime) + microseconds(used.ru_stime);
  return {cpu > cpu_before_ ? cpu - cpu_before_ : 0, static_cast<std::uint64_t>(used.ru_maxrss)};
}

}  // namespace tenkai
