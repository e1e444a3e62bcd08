// What may still come of launches, for those who wait for a daemon.
#pragma once

#include <string_view>
#include <vector>

#include "launcher/launch/launch.h"
#include "scheduler/prospects.h"

namespace tenkai {

// `launch` and the name of its plugin outlive the question.
struct LaunchInSight {
  const Launch* launch;
  std::string_view plugin;
  bool by_hand = false;  // somebody else is to run it
};

// In the order of their numbers. `spare`: more may be launched later, for tasks that need
// larger daemons.
Prospects prospects_of(const std::vector<LaunchInSight>& launches, bool spare);

}  // namespace tenkai
