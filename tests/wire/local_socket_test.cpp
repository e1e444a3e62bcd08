#include "wire/local_socket.h"

#include <boost/asio/io_context.hpp>
#include <boost/system/errc.hpp>
#include <string>

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("a name that no socket can have is refused, and nobody is there") {
  Url url{Url::Scheme::ipc, "", 0, "/tmp/" + std::string(200, 'x')};

  Result<asio::local::stream_protocol::endpoint> endpoint = local_endpoint(url);

  REQUIRE_FALSE(endpoint);
  CHECK(endpoint.error().message.find(url.path) != std::string::npos);
  asio::io_context io(1);
  asio::local::stream_protocol::socket socket(io);
  CHECK(connect_at_once(socket, url) == boost::system::errc::filename_too_long);
}
