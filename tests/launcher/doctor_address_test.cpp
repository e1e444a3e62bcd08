#include <string>
#include <vector>

#include "launcher/doctor/address_checks.h"
#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"

using namespace tenkai::doctor;

namespace {

Addresses healthy() {
  Addresses addresses;
  addresses.url = "wss://:0";
  addresses.name = "login1";
  addresses.is_own_name = true;
  addresses.found = {"10.0.0.3"};
  addresses.own = {{"eth0", "10.0.0.3"}, {"ib0", "10.1.0.3"}};
  return addresses;
}

template <class Change>
std::string bad_with(Change change) {
  Addresses addresses = healthy();
  change(addresses);
  return bad_of(judge_addresses(addresses));
}

}  // namespace

TEST_CASE("of a firewall nothing is known, and nothing else is wrong") {
  CHECK(bad_with([](Addresses&) {}) == "address.firewall skipped;");
  CHECK(bad_with([](Addresses& it) { it.through_tunnel = true; }).empty());
  CHECK(bad_with([](Addresses& it) { it.is_remote = false; }).empty());
  CHECK(bad_with([](Addresses& it) { it.url.clear(); }).empty());
}

TEST_CASE("a name that leads nowhere, or elsewhere, is told") {
  CHECK(bad_with([](Addresses& it) { it.found.clear(); }) ==
        "address.name warning;address.firewall skipped;");
  CHECK(bad_with([](Addresses& it) { it.found = {"10.9.9.9"}; }) ==
        "address.name warning;address.firewall skipped;");
  CHECK(bad_with([](Addresses& it) { it.found = {"10.9.9.9", "10.1.0.3"}; }) == "address.firewall skipped;");
}

TEST_CASE("a machine's own name may be loopback on itself, a URL may not") {
  CHECK(bad_with([](Addresses& it) { it.found = {"127.0.1.1"}; }) ==
        "address.name skipped;address.firewall skipped;");
  CHECK(bad_with([](Addresses& it) {
          it.found = {"127.0.0.1"};
          it.is_own_name = false;
        }) == "address.name warning;address.firewall skipped;");
}

TEST_CASE("ports are a fault only where none is free") {
  auto with = [](std::vector<std::string> busy) {
    return bad_with([&busy](Addresses& it) {
      it.is_remote = false;
      it.tried = {"6000", "6001"};
      it.busy = busy;
    });
  };
  CHECK(with({}).empty());
  CHECK(with({"6000"}).empty());
  CHECK(with({"6000", "6001"}) == "address.port wrong;");
}
