// What a profile makes of commands that are to be carried. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launcher/launch/carried.h"
#include "launcher/plugin/messages.h"
#include "launcher/profile/deployment.h"

namespace tenkai {

// The launches that these commands become, in their order. What is no batch system's has one
// for each command.
std::vector<CarriedLaunch> launches_of(const Deployment& deployment,
                                       const std::vector<std::string>& commands);

// What the plugin is asked for, but for what only the one who asks knows: number, session and
// folder. `first`: how many workers there were before.
LaunchRequest request_of(const Deployment& deployment, const CarriedLaunch& launch, std::size_t first);

}  // namespace tenkai
