// What ~/.ssh/config and its like say of a host, as `ssh -G` tells it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plugins/ssh/remote.h"

namespace tenkai::ssh {

struct HostSettings {
  std::string host;  // the real name, or address
  std::string user;
  std::uint16_t port = 22;
  std::vector<std::string> identities;  // files that may hold a key
  bool identities_only = false;
  std::string agent;                     // its socket; empty: none
  std::vector<std::string> known_hosts;  // files
  std::string host_key_alias;
  bool has_proxy = false;        // ProxyJump or ProxyCommand
  bool has_certificate = false;  // CertificateFile
  bool has_token = false;        // PKCS11Provider
  bool gssapi = false;
  std::string control_path;  // of ControlMaster; empty: none
  // The user has decided that ssh may take in keys by other ways than known_hosts.
  bool lenient_host_keys = false;

  bool operator==(const HostSettings&) const = default;
};

// The user whose settings these are.
struct Me {
  std::string name;
  std::string home;
  std::string agent;  // SSH_AUTH_SOCK
};
Me who_am_i();

// From the output of `ssh -G`. What it says beyond these is not looked at; an output
// without host, user and port is an error.
Result<HostSettings> parse_settings(std::string_view output, const Me& me);

// The settings where there is no client to ask.
HostSettings plain_settings(const Remote& remote, const Me& me);

}  // namespace tenkai::ssh
