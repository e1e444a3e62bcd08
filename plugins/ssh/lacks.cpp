#include "plugins/ssh/lacks.h"

#include "process/own_path.h"

namespace tenkai::ssh {

PluginLacks lacks() {
  PluginLacks all;
#ifdef TENKAI_LIBSSH2
  constexpr bool is_needed = false;
#else
  constexpr bool is_needed = true;
  all.push_back({"libssh2", "hosts are reached by the OpenSSH client alone",
                 "build tenkai where libssh2 and pkg-config are (Debian: libssh2-1-dev pkg-config), with "
                 "TENKAI_SSH=ON",
                 false});
#endif
  if (!is_in_path("ssh"))
    all.push_back({"ssh",
                   is_needed ? "no host can be reached" : "what libssh2 cannot do is not done by OpenSSH",
                   "install the OpenSSH client (Debian: openssh-client)", is_needed});
  return all;
}

}  // namespace tenkai::ssh
