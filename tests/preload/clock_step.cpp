// For LD_PRELOAD: the time of day, set forward or back by so many seconds as the
// first 8 bytes of the file $TENKAI_CLOCK_STEP say at that moment. A test can so
// step the clock of the programs it has started, and of nobody else. The clock that
// measures how long things take (CLOCK_MONOTONIC) goes on, as it does when a real
// clock is set.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile std::int64_t* open_step() {
  static const std::int64_t none = 0;
  const char* path = std::getenv("TENKAI_CLOCK_STEP");
  int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return &none;
  void* step = ::mmap(nullptr, sizeof none, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return step == MAP_FAILED ? &none : static_cast<const std::int64_t*>(step);
}

std::int64_t step() {
  static const volatile std::int64_t* const seconds = open_step();
  return *seconds;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  auto outcome = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += step();
  return outcome;
}

extern "C" int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

extern "C" time_t time(time_t* into) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}
