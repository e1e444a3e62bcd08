// Where a launch goes, and how: what the options of a LaunchRequest say.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/messages.h"

namespace tenkai::ssh {

struct Remote {
  std::string user;        // empty: whatever ~/.ssh/config says
  std::string host;        // a name, an alias of ~/.ssh/config, or an address without brackets
  std::uint16_t port = 0;  // 0: not given

  bool operator==(const Remote&) const = default;
};

// "ssh://user@host:port", "user@host:port", or "host". Accepts nothing that ssh would
// take for an option or a shell for code.
Result<Remote> parse_remote(std::string_view text);

// For people: "anna@node7", "anna@[::1]:2222".
std::string to_string(const Remote& remote);

struct SshRequest {
  Remote remote;
  std::chrono::seconds timeout{10};      // to connect, check the key and log in
  std::vector<std::uint16_t> ports;      // forwarded from the remote's loopback to ours
  std::string client;                    // a program of the user's choice; empty: we choose
  std::string config;                    // an ssh_config file; empty: the user's
  std::vector<std::string> client_args;  // further words for the client
  bool operator==(const SshRequest&) const = default;
};
Result<SshRequest> read_request(const LaunchRequest& launch);

}  // namespace tenkai::ssh
