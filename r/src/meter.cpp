#include "meter.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace tenkai {

namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000 + static_cast<std::uint64_t>(time.tv_usec);
}

rusage used_so_far() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return used;
}

// What only goes up.
Usage counters_of(const rusage& used) {
  Usage counters;
  counters.cpu_us = microseconds(used.ru_utime) + microseconds(used.ru_stime);
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  counters.wall_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  return counters;
}

// VmHWM of /proc/self/status; 0 where it cannot be read.
std::uint64_t peak_in_status() {
  char text[4096];
  int file = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (size <= 0) return 0;
  text[size] = '\0';
  const char* line = std::strstr(text, "\nVmHWM:");
  return line == nullptr ? 0 : std::strtoull(line + std::strlen("\nVmHWM:"), nullptr, 10);
}

}  // namespace

// proc(5), /proc/PID/clear_refs: "5" resets the peak of resident memory, which is what
// getrusage() tells as ru_maxrss. One write of one byte for each task; where it is not
// allowed the peak is that of the process so far.
Meter::Meter() : reset_(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)) {
  auto told = static_cast<std::uint64_t>(used_so_far().ru_maxrss);
  if (told > peak_in_status()) inherited_kb_ = told;
}

// A process begins with the peak of the one that has started it, and no reset takes that
// away. Below it the answer is in a file, which takes longer to read.
std::uint64_t Meter::peak(std::uint64_t told) const {
  return told > inherited_kb_ || reset_ < 0 ? told : peak_in_status();
}

Meter::~Meter() {
  if (reset_ >= 0) ::close(reset_);
}

void Meter::start() {
  if (reset_ >= 0 && ::pwrite(reset_, "5", 1, 0) != 1) {
    ::close(reset_);
    reset_ = -1;
  }
  before_ = counters_of(used_so_far());
}

Usage Meter::stop() const {
  rusage used = used_so_far();
  Usage usage = counters_of(used);
  usage.cpu_us -= std::min(before_.cpu_us, usage.cpu_us);
  usage.wall_us -= before_.wall_us;
  usage.peak_kb = peak(static_cast<std::uint64_t>(used.ru_maxrss));
  return usage;
}

}  // namespace tenkai
