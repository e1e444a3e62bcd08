// Where daemons of other machines are told to connect, and what of it can be seen from here.
#pragma once

#include <string>
#include <vector>

#include "launcher/doctor/check.h"
#include "wire/own_addresses.h"

namespace tenkai::doctor {

struct Addresses {
  std::string url;                 // of the profile
  bool through_tunnel = false;     // of SSH: they connect to their own machine
  bool is_remote = true;           // else daemons are on this machine
  std::string name;                // by which they dial: the host of the URL, or this machine's name
  bool is_own_name = false;        // the URL says no host
  std::vector<std::string> found;  // the addresses that the name has here
  std::vector<OwnAddress> own;
  bool port_is_fixed = false;
  std::vector<std::string> tried;  // ports that were tried
  std::vector<std::string> busy;   // those of them that are taken
};
// address.url, address.name, address.interfaces, address.port, address.firewall.
Checks judge_addresses(const Addresses& addresses);

}  // namespace tenkai::doctor
