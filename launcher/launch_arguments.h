// What a user of a command line wants to be launched, and the launch plan that becomes of it: the
// same that the R functions make, but for what only a session knows. The daemons get
// no stream of random numbers (`rs=`) and none of the arguments that daemons() was
// given for them; only what becomes of them when the session ends is known here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/launch_plan.h"
#include "launcher/profile/deployment.h"
#include "launcher/view.h"

namespace tenkai {

struct LaunchArguments {
  std::string by;  // a plugin
  std::optional<std::size_t> daemons;
  std::string slots;  // "1,2,5-7"; empty: those that are free
  std::string rscript = "Rscript";
  std::string credential;            // stdin, file; empty: as the plugin needs it
  std::vector<std::string> options;  // NAME=VALUE, for the plugin
  bool dry = false;
  // What a compute profile says: see apply().
  std::string profile;
  LaunchPlan::Options profile_options;
  std::optional<std::size_t> chunk;
  std::size_t most = 0;  // daemons, as its site allows; 0: any number
  std::string limits;    // further arguments of daemon(): ",idletime=300000"
  // For --by ssh.
  std::vector<std::string> remotes;
  bool tunnel = false;
  std::optional<std::size_t> timeout;  // seconds
  // For --by command.
  std::string program;
  std::vector<std::string> arguments;
  bool quote = true;
};

// What a compute profile says, where nothing else is asked for.
void apply(const Deployment& deployment, LaunchArguments& wanted);

// What is wrong with the arguments, whatever dispatcher they are for.
Result<Done> check(const LaunchArguments& wanted);

// Numbers from 1 to `most`, each once, in the order in which they are named.
Result<std::vector<std::size_t>> parse_slots(std::string_view text, std::size_t most);

// The launch plan that becomes of them. `view` is the dispatcher that is to launch the daemons.
Result<LaunchPlan> compose(const LaunchArguments& wanted, const View& view);

// A view of a dispatcher that does not run, with so many daemons at `url` as are
// asked for: for what would be launched if it did.
Result<View> imagine(const LaunchArguments& wanted, const std::string& url);

}  // namespace tenkai
