// A command within the environment that a profile asks for, for launchers that have no
// job script: modules, conda, variables and so on are set up by a shell that then
// becomes the command.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/messages.h"

namespace tenkai {

// `command` as it is where the options hold no `environment.*` and no `threads`.
Result<std::vector<std::string>> in_environment(std::vector<std::string> command,
                                                const LaunchRequest& request);

}  // namespace tenkai
