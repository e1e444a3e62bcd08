// What a user of `tenkai launch` wants, and the request that becomes of it: the same that the R
// functions make.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/launch/launch_arguments.h"
#include "launcher/profile/deployment.h"
#include "launcher/view/view.h"

namespace tenkai {

struct CommandLine {
  std::string by;  // a plugin
  std::optional<std::size_t> daemons;
  std::string slots;  // "1,2,5-7"; empty: those that are free
  std::string rscript = "Rscript";
  std::string credential;            // stdin, file; empty: as the plugin needs it
  std::vector<std::string> options;  // NAME=VALUE, for the plugin
  bool dry = false;
  // A compute profile, in place of what follows.
  std::optional<Deployment> deployment;
  // For --by ssh.
  std::vector<std::string> remotes;
  bool tunnel = false;
  std::optional<std::size_t> timeout;  // seconds
  // For --by command.
  std::string program;
  std::vector<std::string> arguments;
  bool quote = true;
};

// What is wrong with the arguments, whatever dispatcher they are for.
Result<Done> check(const CommandLine& wanted);

// Numbers from 1 to `most`, each once, in the order in which they are named.
Result<std::vector<std::size_t>> parse_slots(std::string_view text, std::size_t most);

// What is asked for of the dispatcher that `view` shows.
Result<LaunchArguments> compose(const CommandLine& wanted, const View& view);

// A view of a dispatcher that does not run, with so many daemons at `url` as are
// asked for: for what would be launched if it did.
Result<View> imagine(const CommandLine& wanted, const std::string& url);

}  // namespace tenkai
