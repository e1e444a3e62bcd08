#include "wire/own_addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <utility>

namespace tenkai {
namespace {

// Empty where it is of no use to others.
std::string address_of(const ifaddrs& interface, int family) {
  bool is_up = (interface.ifa_flags & IFF_UP) != 0 && (interface.ifa_flags & IFF_LOOPBACK) == 0;
  if (interface.ifa_addr == nullptr || interface.ifa_addr->sa_family != family || !is_up) return {};
  char text[INET6_ADDRSTRLEN] = "";
  const void* bytes = nullptr;
  if (family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(interface.ifa_addr)->sin_addr;
  } else {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(interface.ifa_addr)->sin6_addr;
    if (!IN6_IS_ADDR_LINKLOCAL(&address)) bytes = &address;
  }
  if (bytes == nullptr || ::inet_ntop(family, bytes, text, sizeof text) == nullptr) return {};
  return text;
}

}  // namespace

std::vector<OwnAddress> own_addresses() {
  std::vector<OwnAddress> found;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
      std::string address = address_of(*each, family);
      if (!address.empty()) found.push_back({each->ifa_name, std::move(address)});
    }
  }
  ::freeifaddrs(all);
  return found;
}

}  // namespace tenkai
