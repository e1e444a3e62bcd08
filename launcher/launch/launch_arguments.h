// What a session or a command line asks for with the request `launch_remote`: daemons at some slots. Lines
// of base/lines.h:
//
//   usual=1             the daemons of daemons(), as that was told to launch them
//   configuration=TEXT  how: a deployment as lines (launcher/profile/deployment.h)
//   slot=3              of a daemon (from 1); again for further ones
//   daemon=NAME=VALUE   of daemon(), before what daemons() was given; tls= as that has it
//   dry=1   by_hand=1
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/daemon_call.h"
#include "base/result.h"
#include "launcher/profile/deployment.h"

namespace tenkai {

struct LaunchArguments {
  bool usual = false;
  std::optional<Deployment> configuration;
  std::vector<std::size_t> slots;  // from 0; one may come again where all daemons have one URL
  DaemonOptions daemon;
  // Nothing is run, and what would be is told.
  bool dry = false;
  // Somebody will run what is rendered by hand: all is made for it, nothing is begun.
  bool by_hand = false;

  bool operator==(const LaunchArguments&) const = default;
};

// `slots` is how many there are.
Result<LaunchArguments> parse_launch_arguments(std::string_view text, std::size_t slots);
// And back.
std::string to_lines(const LaunchArguments& arguments);

}  // namespace tenkai
