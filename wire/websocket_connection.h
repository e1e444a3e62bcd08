// Frames over a WebSocket: binary messages that together are one byte stream;
// the borders of messages mean nothing. Beast does the protocol; what it reads
// into is the frame reader's own room.
//
// A template, because TLS is the same thing over another stream.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/websocket.hpp>
#include <utility>
#include <vector>

#include "wire/connection.h"

namespace tenkai {

namespace beast = boost::beast;

template <class NextLayer>
class WebSocketConnection final : public Connection {
 public:
  using Stream = beast::websocket::stream<NextLayer>;

  WebSocketConnection(Stream stream, Peer peer)
      : Connection(std::move(peer), true), stream_(std::move(stream)) {
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.write_buffer_bytes(64 * 1024);  // through which a client masks what it sends
  }

 private:
  static constexpr std::size_t pieces_per_write = 64;
  static constexpr std::size_t bytes_per_write = 1024 * 1024;
  // What a message may announce. A stranger's greeting is two frames of 8,288 bytes; one
  // write of ours is less than two segments with their heads.
  static constexpr std::size_t max_of_stranger = 32 * 1024;
  static constexpr std::size_t max_message = 4 * 1024 * 1024;
  static_assert(max_message > bytes_per_write + segment_size + header_size + max_attributes);

  asio::any_io_executor executor() override { return stream_.get_executor(); }

  void read() override {
    stream_.read_message_max(knows_peer() ? max_message : max_of_stranger);
    FrameReader::Room room = reader().room();
    stream_.async_read_some(
        asio::buffer(room.data, room.size),
        [this, self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
          if (!is_open()) return;
          if (failed) return on_failed(failed);
          if (!stream_.got_binary() && size > 0) return ended(false, "a text message came");
          if (size == 0 || received(size)) read();
        });
  }

  void on_failed(const boost::system::error_code& failed) {
    bool orderly = failed == beast::websocket::error::closed || failed == asio::error::eof;
    if (!orderly) return Connection::failed(failed);
    ended(true, "the other end closed the connection");
  }

  void write() override {
    iovec pieces[pieces_per_write];
    int no_file = -1;
    std::size_t count = outbox().gather(pieces, pieces_per_write, bytes_per_write, no_file);
    buffers_.clear();
    for (std::size_t i = 0; i < count; ++i) buffers_.emplace_back(pieces[i].iov_base, pieces[i].iov_len);
    stream_.async_write(
        buffers_, [this, self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
          if (!is_open()) return;
          if (failed) return on_failed(failed);
          outbox().consumed(size);
          if (outbox().empty()) {
            flushed();
          } else {
            write();
          }
        });
  }

  void shut() override {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
  }

  Stream stream_;
  std::vector<asio::const_buffer> buffers_;
};

}  // namespace tenkai
