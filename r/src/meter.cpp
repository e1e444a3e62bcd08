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

constexpr std::chrono::milliseconds worth_asking{1};

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000 + static_cast<std::uint64_t>(time.tv_usec);
}

rusage used_so_far() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return used;
}

std::uint64_t cpu_of(const rusage& used) { return microseconds(used.ru_utime) + microseconds(used.ru_stime); }

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
// getrusage() tells as ru_maxrss. One write of one byte; where it is not allowed the peak is
// that of the process so far.
Meter::Meter() : reset_(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)) {
  rusage used = used_so_far();
  cpu_us_ = cpu_of(used);
  auto told = static_cast<std::uint64_t>(used.ru_maxrss);
  peak_kb_ = told;
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
  if (reset_ >= 0 && is_peak_old_ && ::pwrite(reset_, "5", 1, 0) != 1) {
    ::close(reset_);
    reset_ = -1;
  }
  is_peak_old_ = false;
  begun_ = Clock::now();
}

// The kernel is asked once a millisecond: of shorter tasks asking takes as long as some do.
Usage Meter::stop() {
  Clock::time_point now = Clock::now();
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - begun_);
  Usage usage;
  usage.wall_us = static_cast<std::uint64_t>(took.count());
  if (now - asked_ < worth_asking) {
    usage.peak_kb = peak_kb_;
    return usage;
  }
  rusage used = used_so_far();
  std::uint64_t cpu = cpu_of(used);
  usage.cpu_us = cpu - std::min(cpu_us_, cpu);
  cpu_us_ = cpu;
  usage.peak_kb = peak_kb_ = peak(static_cast<std::uint64_t>(used.ru_maxrss));
  is_peak_old_ = true;
  asked_ = now;
  return usage;
}

}  // namespace tenkai
