// What a session has asked for with daemons(), and what its profile says, come to one thing: how many
// daemons, where, by what launcher. Pure, but for the files of profiles, which are read by `find`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/daemon_call.h"
#include "launcher/launch/allocation.h"
#include "launcher/profile/deployment.h"
#include "launcher/profile/scale_rules.h"
#include "scheduler/setup.h"

namespace tenkai {

// What launches of a session have in common.
struct LaunchSession {
  std::string profile = "default";       // the name under which the daemons are set
  DaemonOptions daemon;                  // what daemons() was given for them
  std::optional<Deployment> deployment;  // how they are launched; nothing: not by a launcher
  std::size_t spare = 0;                 // slots beyond those of its daemons
  std::optional<ScaleRules> scale;       // they are launched as there is work
};

using FindDeployment = std::function<Result<Deployment>(const std::string& name)>;

// Fills in the rest of `setup`. `warnings`: sentences for the user.
Result<LaunchSession> settle(Setup& setup, const Allocation& allocation, const FindDeployment& find,
                             std::vector<std::string>& warnings);

}  // namespace tenkai
