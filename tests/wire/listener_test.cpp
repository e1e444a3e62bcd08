#include "wire/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

Descriptor call(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  Descriptor caller(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE(::connect(caller.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  return caller;
}

bool has_hung_up(const Descriptor& caller) {
  char byte = 0;
  return ::read(caller.get(), &byte, 1) == 0 || errno != EAGAIN;
}

}  // namespace

TEST_CASE("who cannot stay for want of descriptors is turned away alone, and not the next caller too") {
  std::string name = "tenkai-listener-test-" + std::to_string(::getpid());
  asio::io_context io;
  Listener::Door door;
  door.url = *parse_url("abstract://" + name);
  int let_in = 0;
  auto listener = Listener::open(io.get_executor(), door, [&let_in](const ConnectionPtr&) { ++let_in; });
  REQUIRE(listener);
  Descriptor first = call(name);
  Descriptor second = call(name);

  int usual = std::exchange(Descriptor::end_of_lasting, 0);
  io.run_one();
  Descriptor::end_of_lasting = usual;

  CHECK(let_in == 0);
  CHECK(has_hung_up(first));
  CHECK_FALSE(has_hung_up(second));
}
