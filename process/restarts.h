// How soon what has ended unasked is started again, and when no more. Decided here, from
// how its processes fared; no clock.
#pragma once

#include <array>
#include <chrono>
#include <optional>

namespace tenkai {

// The pauses between starts, as failures follow each other. After one failure more it is
// not chance.
inline constexpr std::array<std::chrono::milliseconds, 4> restart_pauses = {
    std::chrono::seconds(1), std::chrono::seconds(5), std::chrono::seconds(30), std::chrono::minutes(2)};

// What has lived for so long has not failed to start.
inline constexpr std::chrono::milliseconds short_life = std::chrono::seconds(30);

// The restarts of one daemon.
class Restarts {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Its process has ended, and nobody had asked for that. `joined`: when it was ready for
  // tasks, if it ever was. `worked`: it was given a task. One that dies of a task is started
  // again at once: how often that happens is limited by how often the task is tried again.
  // Returns the pause before the next start; nothing: no more, it has failed too often in a row.
  std::optional<std::chrono::milliseconds> on_ended(Time now, std::optional<Time> joined, bool worked);

  int failures() const { return failures_; }  // in a row

 private:
  int failures_ = 0;
};

}  // namespace tenkai
