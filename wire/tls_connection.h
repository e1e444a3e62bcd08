// Frames over TLS.
//
// TLS cuts what it is given into records of 16 KiB and must copy once; Beast's
// stream joins the small pieces of a frame, so that a head does not become a
// record and a system call of its own.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/ssl.hpp>
#include <utility>
#include <vector>

#include "wire/connection.h"

namespace tenkai {

using TlsStream = boost::beast::ssl_stream<asio::ip::tcp::socket>;

class TlsConnection final : public Connection {
 public:
  TlsConnection(TlsStream stream, Peer peer)
      : Connection(std::move(peer), true), stream_(std::move(stream)) {}

 private:
  static constexpr std::size_t pieces_per_write = 64;
  static constexpr std::size_t bytes_per_write = 1024 * 1024;

  asio::any_io_executor executor() override { return stream_.get_executor(); }

  void read() override {
    FrameReader::Room room = reader().room();
    stream_.async_read_some(
        asio::buffer(room.data, room.size),
        [this, self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
          if (!is_open()) return;
          if (failed) return on_failed(failed);
          if (received(size)) read();
        });
  }

  // Nobody says goodbye to TLS itself here: frames have a BYE of their own.
  void on_failed(const boost::system::error_code& failed) {
    bool orderly = failed == asio::error::eof || failed == asio::ssl::error::stream_truncated;
    if (!orderly) return Connection::failed(failed);
    ended(true, "the other end closed the connection");
  }

  void write() override {
    iovec pieces[pieces_per_write];
    int no_file = -1;
    std::size_t count = outbox().gather(pieces, pieces_per_write, bytes_per_write, no_file);
    buffers_.clear();
    for (std::size_t i = 0; i < count; ++i) buffers_.emplace_back(pieces[i].iov_base, pieces[i].iov_len);
    asio::async_write(stream_, buffers_,
                      [this, self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
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
    boost::beast::get_lowest_layer(stream_).close(ignored);
  }

  TlsStream stream_;
  std::vector<asio::const_buffer> buffers_;
};

}  // namespace tenkai
