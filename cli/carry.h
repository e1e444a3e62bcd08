// The workers of another program as jobs of a compute profile. See carry_command.cpp.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace tenkai {

inline constexpr std::size_t most_carried_workers = 10'000;  // of one session, at a time

struct CarryArguments {
  std::string profile;
  std::vector<std::string> command;
  std::size_t workers = 1;
  pid_t session = 0;
  // Commands that come within so many seconds of each other go together into one launch.
  double together = 0.3;
  bool dry = false;
};

// Stays as long as the workers do, or their session. The exit code.
int carry(const CarryArguments& arguments);

}  // namespace tenkai
