// How the OpenSSH client is called: to launch, to hold a tunnel, to tell a host's
// settings, and as people would write it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugins/ssh/remote.h"

namespace tenkai::ssh {

// The line that a person could run in a shell.
std::string client_line(const SshRequest& request, const std::vector<std::string>& command);

// argv to run `command`, a line for the login shell there, while `ports` are
// forwarded.
std::vector<std::string> client_argv(const SshRequest& request, const std::vector<std::uint16_t>& ports,
                                     const std::string& command);

// argv that prints the host's settings: `ssh -G`.
std::vector<std::string> settings_argv(const SshRequest& request);

}  // namespace tenkai::ssh
