#include "plugins/mpi/exposure.h"

#include <algorithm>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::mpi;

namespace {

using Interfaces = std::vector<Interface>;

const Interface lo{"lo", true, true, true};

}  // namespace

TEST_CASE("where there is nothing but the loopback, Open MPI may listen") {
  CHECK(may_listen("loopback", Interfaces{lo}));
  CHECK(may_listen("loopback", {}));
}

TEST_CASE("where others can reach this machine, it may only if that is accepted") {
  Interfaces interfaces = {lo, {"eth0", false, true, true}, {"ib0", false, true, false}};

  Result<Done> refused = may_listen("loopback", interfaces);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("every address of this machine (eth0, ib0)") != std::string::npos);
  CHECK(refused.error().message.find("mpi: {listen: all}") != std::string::npos);
  CHECK(may_listen("all", interfaces));
  CHECK_FALSE(may_listen("everywhere", interfaces));
}

TEST_CASE("an interface that is down and has no address is none, one that only waits to be up is one") {
  CHECK(may_listen("loopback", {lo, {"ifb0", false, false, false}}));
  CHECK_FALSE(may_listen("loopback", {lo, {"eth1", false, false, true}}));
}

TEST_CASE("this machine has a loopback, and each interface is told of once") {
  Interfaces interfaces = own_interfaces();

  REQUIRE_FALSE(interfaces.empty());
  for (const Interface& each : interfaces) {
    INFO(each.name);
    CHECK(std::count_if(interfaces.begin(), interfaces.end(),
                        [&each](const Interface& other) { return other.name == each.name; }) == 1);
  }
  auto own = std::find_if(interfaces.begin(), interfaces.end(),
                          [](const Interface& each) { return each.name == "lo"; });
  REQUIRE(own != interfaces.end());
  CHECK(own->loopback);
}
