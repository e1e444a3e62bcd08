// Included before all else in the build of tests/canaries/run, and in no other: asks
// whether the check of this name has been removed from the program for once.
#pragma once

#include <cstdlib>
#include <cstring>

namespace canary {

inline bool removed(const char* check) {
  static const char* const name = std::getenv("TENKAI_CANARY");
  return name != nullptr && std::strcmp(name, check) == 0;
}

}  // namespace canary
