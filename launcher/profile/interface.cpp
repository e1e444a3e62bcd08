// The addresses of this machine's network interfaces.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "base/text.h"
#include "launcher/profile/deployment.h"

namespace tenkai {
namespace {

std::string text_of(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.sa_family == AF_INET6) {
    const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    // One that is good on its own link alone would need the other machine's name for it.
    if (!IN6_IS_ADDR_LINKLOCAL(&six)) ::inet_ntop(AF_INET6, &six, text, sizeof text);
  }
  return text;
}

}  // namespace

Result<std::string> address_of_interface(const std::string& name) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0)
    return Error{std::string("the network interfaces cannot be listed: ") + std::strerror(errno)};
  std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(all, ::freeifaddrs);
  std::string six;
  std::set<std::string> names;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    names.insert(each->ifa_name);
    if (each->ifa_addr == nullptr || name != each->ifa_name) continue;
    std::string text = text_of(*each->ifa_addr);
    if (text.empty()) continue;
    if (each->ifa_addr->sa_family == AF_INET) return text;
    if (six.empty()) six = text;
  }
  if (!six.empty()) return six;
  if (names.count(name) != 0)
    return Error{"the network interface '" + printable(name, 40) + "' has no address here"};
  std::string known;
  for (const std::string& each : names) known += (known.empty() ? "" : ", ") + each;
  return Error{"there is no network interface '" + printable(name, 40) + "' here; there are " + known};
}

}  // namespace tenkai
