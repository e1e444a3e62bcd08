// Any bytes on a WebSocket port: the request, the upgrade, and then frames of the
// WebSocket protocol, as Beast and our own judgement of requests see them. Nothing
// is let in with an Origin or at another path, and memory does not follow what the
// stranger announces.
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/frame_reader.h"
#include "tests/fuzz/largest_block.h"
#include "wire/websocket_request.h"

namespace {

using namespace tenkai;
namespace asio = boost::asio;
namespace beast = boost::beast;

void require(bool holds) {
  if (!holds) std::abort();
}

bool knows(std::string_view path) { return path == "/1"; }

template <class WebSocket>
void read_frames(WebSocket& socket) {
  FrameReader reader(max_greeting);
  boost::system::error_code failed;
  for (int i = 0; i < 1000 && !failed; ++i) {
    FrameReader::Room room = reader.room();
    std::size_t size = socket.read_some(asio::buffer(room.data, room.size), failed);
    if (!failed && !reader.commit(size, [](Frame&&) {})) return;
  }
}

void serve(std::string_view bytes) {
  static asio::io_context io;
  beast::test::stream there(io);
  beast::websocket::stream<beast::test::stream> socket(io);
  beast::test::stream& here = socket.next_layer();
  here.connect(there);
  here.append(beast::string_view(bytes.data(), bytes.size()));
  there.close();

  UpgradeRequest request;
  boost::system::error_code failed;
  beast::http::read_header(here, request.buffer, request.parser, failed);
  if (failed) return;
  const auto& head = request.parser.get();
  bool good = judge_upgrade(head, knows) == http::status::ok;
  if (!good) return;
  require(head.count(http::field::origin) == 0 && head.target() == "/1");
  socket.accept(head, failed);
  if (!failed) read_frames(socket);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tenkai::LargestBlock largest;
  serve(std::string_view(reinterpret_cast<const char*>(data), size));
  require(largest.size() <= 64 * 1024 + 4 * size);
  return 0;
}
