#include "plugins/mpi/exposure.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace tenkai::mpi {

std::vector<Interface> own_interfaces() {
  ifaddrs* all = nullptr;
  // Where they cannot be told, there may be any.
  if (::getifaddrs(&all) != 0) return {{"unknown", false, true, true}};
  std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(all, ::freeifaddrs);
  std::vector<Interface> interfaces;
  // One comes once for each of its addresses, that of its hardware included.
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    auto known = std::find_if(interfaces.begin(), interfaces.end(),
                              [each](const Interface& one) { return one.name == each->ifa_name; });
    if (known == interfaces.end()) {
      bool loopback = (each->ifa_flags & IFF_LOOPBACK) != 0;
      bool up = (each->ifa_flags & IFF_UP) != 0;
      known = interfaces.insert(interfaces.end(), {each->ifa_name, loopback, up, false});
    }
    int family = each->ifa_addr == nullptr ? AF_UNSPEC : each->ifa_addr->sa_family;
    known->has_address = known->has_address || family == AF_INET || family == AF_INET6;
  }
  return interfaces;
}

std::vector<std::string> open_to_others(const std::vector<Interface>& interfaces) {
  std::vector<std::string> names;
  for (const Interface& each : interfaces) {
    if (!each.loopback && (each.up || each.has_address)) names.push_back(each.name);
  }
  return names;
}

Result<Done> may_listen(const std::string& listen, const std::vector<Interface>& interfaces) {
  std::vector<std::string> open = open_to_others(interfaces);
  if (open.empty() || listen == "all") return Done{};
  return Error{
      "launching by MPI is off here, because Open MPI listens at every address of this machine (" +
      join(open, ", ") +
      ") and of each node, unencrypted, and cannot be told otherwise. Where that network is trusted, say so: "
      "mpi_config(listen = \"all\"), or in a profile mpi: {listen: all}. Launched by SSH or Slurm, daemons "
      "listen nowhere"};
}

}  // namespace tenkai::mpi
