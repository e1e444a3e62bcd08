// What R asks about this machine, and random numbers that are not R's own.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <R_ext/Random.h>

#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "api.h"

namespace tenkai {

namespace {

SEXP strings(const std::vector<std::string>& texts) {
  SEXP made = PROTECT(Rf_allocVector(STRSXP, static_cast<R_xlen_t>(texts.size())));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    SET_STRING_ELT(made, static_cast<R_xlen_t>(i), STRING_ELT(text(texts[i]), 0));
  }
  UNPROTECT(1);
  return made;
}

std::string written(const sockaddr* address) {
  char words[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, words, sizeof words);
  } else if (address->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, words, sizeof words);
  }
  return words;
}

}  // namespace

}  // namespace tenkai

using namespace tenkai;

SEXP tk_random_hex(SEXP bytes) {
  return guarded([&] {
    std::vector<unsigned char> random(static_cast<std::size_t>(Rf_asInteger(bytes)));
    if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
      throw std::runtime_error("the system has no random numbers");
    }
    std::string hex;
    for (unsigned char byte : random) {
      hex += "0123456789abcdef"[byte >> 4];
      hex += "0123456789abcdef"[byte & 15];
    }
    auto make = [&] { return text(hex); };
    return safely(make);
  });
}

// One draw from the session's generator, so that it has a state and moves on.
SEXP tk_draw() {
  GetRNGstate();
  double drawn = unif_rand();
  PutRNGstate();
  return Rf_ScalarReal(drawn);
}

// "eth0 10.0.0.3" for each address of an interface that is up.
SEXP tk_addresses() {
  return guarded([&] {
    std::vector<std::string> found;
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) == 0) {
      for (ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr || !(each->ifa_flags & IFF_UP)) continue;
        std::string address = written(each->ifa_addr);
        if (!address.empty()) found.push_back(std::string(each->ifa_name) + " " + address);
      }
      freeifaddrs(all);
    }
    auto make = [&] { return strings(found); };
    return safely(make);
  });
}

// Local TCP ports that something is bound to, read from the kernel's tables.
SEXP tk_ports_in_use() {
  return guarded([&] {
    std::set<int> ports;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
      std::ifstream lines(table);
      std::string line, number, local;
      std::getline(lines, line);
      while (std::getline(lines, line)) {
        std::istringstream(line) >> number >> local;
        std::size_t colon = local.rfind(':');
        if (colon != std::string::npos)
          ports.insert(static_cast<int>(std::stol(local.substr(colon + 1), nullptr, 16)));
      }
    }
    std::vector<int> list(ports.begin(), ports.end());
    auto make = [&] {
      SEXP made = Rf_allocVector(INTSXP, static_cast<R_xlen_t>(list.size()));
      for (std::size_t i = 0; i < list.size(); ++i) INTEGER(made)[i] = list[i];
      return made;
    };
    return safely(make);
  });
}

// A file that belongs to us and that nobody else can write; also TRUE when
// there is none.
SEXP tk_is_mine(SEXP path) {
  return guarded([&] {
    struct stat status {};
    if (stat(text_of(path).c_str(), &status) != 0) return Rf_ScalarLogical(TRUE);
    bool mine = status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return Rf_ScalarLogical(mine);
  });
}
