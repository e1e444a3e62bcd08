// Which of the two back ends reaches a host: libssh2, or the OpenSSH client for what
// libssh2 cannot do.
#pragma once

#include <string>
#include <vector>

#include "plugins/ssh/host_settings.h"
#include "plugins/ssh/identity.h"
#include "plugins/ssh/known_hosts.h"

namespace tenkai::ssh {

struct Facts {
  bool client_is_forced = false;
  bool client_has_args = false;
  bool has_client = false;
  bool has_libssh2 = false;
  HostSettings settings;
  std::vector<Identity> identities;
  std::vector<KnownKey> known;
  bool has_agent = false;           // its socket is there
  bool has_ticket = false;          // of Kerberos
  bool has_control_socket = false;  // a ControlMaster listens
};

struct Choice {
  bool client = false;
  std::string reason;
};
Choice choose_back_end(const Facts& facts);

// From the files that the settings name.
Facts gather_facts(const HostSettings& settings);

}  // namespace tenkai::ssh
