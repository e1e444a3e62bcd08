#include <string>
#include <vector>

#include "scheduler/setup.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

const std::vector<OwnAddress> two{{"eth0", "192.0.2.7"}, {"ib0", "2001:db8::7"}};

std::string note(const std::string& url, const std::string& address,
                 const std::vector<OwnAddress>& own = two) {
  return note_about_loopback(*parse_url(url), address, own);
}

}  // namespace

TEST_CASE("a host name that is loopback is told, with the addresses that others reach") {
  CHECK(note("tcp://login1:4711", "127.0.1.1") ==
        "daemons on other machines cannot reach tcp://login1:4711, for on this machine login1 is 127.0.1.1 "
        "(see /etc/hosts); if there shall be some, host_url(host =) takes another name or one of this "
        "machine's addresses: 192.0.2.7 (eth0), 2001:db8::7 (ib0)");
  CHECK(note("wss://login1.example.org:1/x", "127.0.0.1").find("login1.example.org is 127.0.0.1") !=
        std::string::npos);
  CHECK(note("tls+tcp://login1:4711", "::1").find("login1 is ::1") != std::string::npos);
}

TEST_CASE("a host name that others reach is not told of, nor loopback that was asked for") {
  for (const char* address : {"192.0.2.7", "2001:db8::7", "0.0.0.0", "::", ""}) {
    CHECK(note("tcp://login1:4711", address).empty());
  }
  CHECK(note("tcp://127.0.0.1:1", "127.0.0.1").empty());
  CHECK(note("tcp://127.0.1.1:1", "127.0.1.1").empty());
  CHECK(note("tcp://localhost:1", "127.0.0.1").empty());
  CHECK(note("ws://[::1]:1/x", "::1").empty());
  CHECK(note("abstract://name", "").empty());
}

TEST_CASE("where loopback is all there is nothing is told of it") {
  CHECK(note("tcp://login1:4711", "127.0.1.1", {}).empty());
}
