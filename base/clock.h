// The clock that never steps. Only what stands at the edge reads it; decisions are given
// the time.
#pragma once

#include <chrono>

namespace tenkai {

inline std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

}  // namespace tenkai
