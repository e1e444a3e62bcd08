// Frames over TLS. Whatever has come is decrypted into the frame reader's own room;
// what shall go out is encrypted a quarter of a megabyte at a time.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>
#include <vector>

#include "wire/connection.h"
#include "wire/tls_stream.h"

namespace tenkai {

class TlsConnection final : public Connection {
 public:
  TlsConnection(TlsStream stream, Peer peer)
      : Connection(std::move(peer), true), stream_(std::move(stream)) {}

 private:
  static constexpr std::size_t pieces_per_write = 64;
  static constexpr std::size_t bytes_per_write = 256 * 1024;
  // A busy peer must not keep the others waiting.
  static constexpr int reads_per_turn = 64;

  asio::any_io_executor executor() override { return stream_.get_executor(); }
  int socket() { return stream_.next_layer().native_handle(); }

  // Something may have come together with the last bytes of the handshake, so it
  // looks before it waits.
  void read() override {
    asio::post(executor(), [this, self = shared_from_this()] { go_on_reading(); });
  }

  void go_on_reading() {
    if (!is_open()) return;
    if (knows_peer()) stream_.engine().widen();
    for (int turn = 0; turn < reads_per_turn; ++turn) {
      FrameReader::Room room = reader().room();
      std::size_t size = room.size;
      switch (stream_.engine().read(room.data, size)) {
        case TlsEngine::Outcome::done:
          if (!received(size)) return;
          break;
        case TlsEngine::Outcome::wants_read:
          if (!receive()) return;
          break;
        case TlsEngine::Outcome::ended: return on_failed(asio::error::eof);
        case TlsEngine::Outcome::failed: return on_failed(stream_.engine().failure());
      }
    }
    read();
  }

  // Takes more from the socket, or waits for it. False: there is nothing now.
  bool receive() {
    boost::system::error_code failed;
    if (!stream_.engine().receive(socket(), failed)) {
      rest();
      stream_.next_layer().async_wait(asio::socket_base::wait_read,
                                      [this, self = shared_from_this()](boost::system::error_code why) {
                                        if (!is_open()) return;
                                        if (why) return on_failed(why);
                                        go_on_reading();
                                      });
      return false;
    }
    if (failed) on_failed(failed);
    return !failed;
  }

  // Nobody says goodbye to TLS itself here: frames have a BYE of their own.
  void on_failed(const boost::system::error_code& failed) {
    bool orderly = failed == asio::error::eof || failed == asio::ssl::error::stream_truncated;
    if (!orderly) return Connection::failed(failed);
    ended(true, "the other end closed the connection");
  }

  // What was encrypted counts as written only when the socket has taken it.
  void write() override {
    boost::system::error_code failed;
    while (is_open()) {
      if (!stream_.engine().send(socket(), failed)) return wait_to_write();
      if (failed) return on_failed(failed);
      outbox().consumed(std::exchange(encrypted_, 0));
      if (outbox().empty()) return flushed();
      encrypted_ = stream_.encrypt(gathered(), failed);
      if (failed) return on_failed(failed);
    }
  }

  const std::vector<asio::const_buffer>& gathered() {
    iovec pieces[pieces_per_write];
    PassedFiles none;
    std::size_t count = outbox().gather(pieces, pieces_per_write, bytes_per_write, none);
    buffers_.clear();
    for (std::size_t i = 0; i < count; ++i) buffers_.emplace_back(pieces[i].iov_base, pieces[i].iov_len);
    return buffers_;
  }

  void wait_to_write() {
    stream_.next_layer().async_wait(asio::socket_base::wait_write,
                                    [this, self = shared_from_this()](boost::system::error_code failed) {
                                      if (!is_open()) return;
                                      if (failed) return on_failed(failed);
                                      write();
                                    });
  }

  void shut() override {
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  TlsStream stream_;
  std::size_t encrypted_ = 0;
  std::vector<asio::const_buffer> buffers_;
};

}  // namespace tenkai
