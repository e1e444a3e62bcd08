// Why a daemon is gone whose R process has ended: what is told of it, as a cause.
#pragma once

#include <cstddef>

#include "process/r_processes.h"
#include "scheduler/cause.h"

namespace tenkai {

// Bytes of what a daemon has said, or is said of it, that the user is told.
inline constexpr std::size_t max_last_words = 1000;

inline Cause cause_of(const REnd& end) {
  if (!end.excess.empty()) return {Cause::Kind::oom, "was killed: OUT_OF_MEMORY (" + end.excess + ")"};
  if (end.how.signal) return cause_of_signal(*end.how.signal, end.out_of_memory);
  if (end.how.exit_code) return cause_of_exit(*end.how.exit_code);
  return {Cause::Kind::lost, "ended"};
}

}  // namespace tenkai
