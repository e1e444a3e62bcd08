// Looks at all that can keep daemons from coming, before one waits for them: R, the package and the
// program, files of profiles, Slurm, SSH, addresses, this machine. Nothing is changed, and nothing is
// launched.
#pragma once

#include <string>

#include "launcher/doctor/check.h"

namespace tenkai::doctor {

struct Visit {
  std::string profile;  // empty: none is looked at
};

// In the order in which things are needed. Takes as long as the slowest of what is asked, each of
// which has a limit of a few seconds.
Checks examine(const Visit& visit);

}  // namespace tenkai::doctor
