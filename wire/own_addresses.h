// The addresses under which other machines may reach this one.
#pragma once

#include <string>
#include <vector>

namespace tenkai {

struct OwnAddress {
  std::string interface;
  std::string address;
};

// The addresses of interfaces that are up, IPv4 first, without loopback and the addresses that
// hold on one link alone.
std::vector<OwnAddress> own_addresses();

}  // namespace tenkai
