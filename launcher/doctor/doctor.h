// Looks at all that can keep daemons from coming, before one waits for them: R, the package and the
// program, files of profiles, Slurm, SSH, addresses, this machine. Nothing is changed, and nothing is
// launched but a probe that was asked for.
#pragma once

#include <chrono>
#include <string>

#include "launcher/doctor/check.h"

namespace tenkai::doctor {

struct Visit {
  std::string profile;             // empty: none is looked at
  bool probe = false;              // by a job of the profile, which is launched, and ends
  std::chrono::seconds wait{120};  // for that
};

// In the order in which things are needed. Takes as long as the slowest of what is asked, each of
// which has a limit of a few seconds.
Checks examine(const Visit& visit);

}  // namespace tenkai::doctor
