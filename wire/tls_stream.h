// TLS over a TCP socket: OpenSSL computes, this moves the bytes.
//
// Asio has such a stream too. It makes a system call for each record of 16 KiB and
// copies every byte twice more; here a quarter of a megabyte is encrypted, and then
// written, at a time, which nearly doubles what goes through.
//
// Satisfies what Beast wants of a stream, so that WebSockets go over it. One read
// and one write may be under way at a time.
#pragma once

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "wire/record_check.h"

namespace tenkai {

namespace asio = boost::asio;

// The part without an event loop: bytes of TLS in and out of memory.
class TlsEngine {
 public:
  explicit TlsEngine(SSL_CTX* context);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  enum class Outcome { done, wants_read, ended, failed };
  // The other end is a stranger who may announce no more than it needs.
  void listen();
  Outcome handshake();
  // Decrypts into `data`; `size` becomes what there was.
  Outcome read(char* data, std::size_t& size);
  // Encrypts all of it; always done unless the connection is broken.
  Outcome write(const char* data, std::size_t size);
  // Why it failed, in OpenSSL's numbers.
  boost::system::error_code failure() const { return failure_; }

  // One call of the socket each, which does not wait. False where it would, and
  // not where it has failed.
  bool receive(int socket, boost::system::error_code& failed);
  bool send(int socket, boost::system::error_code& failed);
  bool has_unsent() const { return sent_ < waiting_; }
  // More at a time from now on, for a peer that is known.
  void widen() { room_ = 128 * 1024; }

  SSL* handle() const { return ssl_; }

 private:
  static BIO_METHOD* method();
  static int on_read(BIO* bio, char* data, int size);
  static int on_write(BIO* bio, const char* data, int size);
  static long on_control(BIO* bio, int command, long number, void* pointer);
  Outcome judge(int result);

  bool make_room(std::size_t size);
  bool is_allowed(std::string_view received);

  SSL* ssl_;
  std::optional<RecordCheck> check_;  // of a listener, until there is TLS
  Bytes in_;
  std::size_t taken_ = 0;  // of in_
  std::size_t held_ = 0;   // of in_: what is filled
  std::size_t room_ = 16 * 1024;
  Bytes out_;
  std::size_t sent_ = 0;     // of out_
  std::size_t waiting_ = 0;  // of out_: what is filled
  bool eof_ = false;
  boost::system::error_code failure_;
};

class TlsStream {
 public:
  using next_layer_type = asio::ip::tcp::socket;
  using executor_type = next_layer_type::executor_type;

  TlsStream(asio::ip::tcp::socket socket, asio::ssl::context& context)
      : socket_(std::move(socket)), engine_(std::make_unique<TlsEngine>(context.native_handle())) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
  }
  TlsStream(TlsStream&&) = default;
  TlsStream& operator=(TlsStream&&) = default;

  next_layer_type& next_layer() { return socket_; }
  const next_layer_type& next_layer() const { return socket_; }
  executor_type get_executor() { return socket_.get_executor(); }
  SSL* native_handle() const { return engine_->handle(); }
  TlsEngine& engine() { return *engine_; }

  // Calls back once, from the event loop.
  void async_handshake(asio::ssl::stream_base::handshake_type role,
                       std::function<void(boost::system::error_code)> on_done);

  // Encrypts the first quarter of a megabyte of what is there, to be sent by
  // engine().send(), and says how much it was. Small pieces become one record.
  template <class Buffers>
  std::size_t encrypt(const Buffers& buffers, boost::system::error_code& failed) {
    std::size_t total = 0;
    std::vector<char> joined;
    auto put = [&](const char* data, std::size_t size) {
      if (size > 0 && engine_->write(data, size) != TlsEngine::Outcome::done) failed = engine_->failure();
    };
    for (auto each = asio::buffer_sequence_begin(buffers); each != asio::buffer_sequence_end(buffers);
         ++each) {
      if (total >= batch || failed) break;
      asio::const_buffer piece(*each);
      std::size_t size = std::min(piece.size(), batch - total);
      auto data = static_cast<const char*>(piece.data());
      total += size;
      if (size <= small) {
        joined.insert(joined.end(), data, data + size);
        continue;
      }
      put(joined.data(), joined.size());
      joined.clear();
      put(data, size);
    }
    put(joined.data(), joined.size());
    return total;
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    asio::mutable_buffer buffer = first_of<asio::mutable_buffer>(buffers);
    return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        [this, buffer, posted = false](auto& self, boost::system::error_code failed = {}) mutable {
          if (!posted) {
            posted = true;
            return asio::post(socket_.get_executor(), std::move(self));
          }
          std::size_t size = buffer.size();
          bool again = !failed && size > 0 && !read_into(static_cast<char*>(buffer.data()), size, failed);
          if (again) return socket_.async_wait(asio::socket_base::wait_read, std::move(self));
          self.complete(failed, failed ? 0 : size);
        },
        token, socket_);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    boost::system::error_code refused;
    std::size_t size = encrypt(buffers, refused);
    return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        [this, size, refused, posted = false](auto& self, boost::system::error_code failed = {}) mutable {
          if (!posted) {
            posted = true;
            return asio::post(socket_.get_executor(), std::move(self));
          }
          if (refused) failed = refused;
          bool again = !failed && !engine_->send(socket_.native_handle(), failed);
          if (again) return socket_.async_wait(asio::socket_base::wait_write, std::move(self));
          self.complete(failed, failed ? 0 : size);
        },
        token, socket_);
  }

 private:
  // What is encrypted before it is written.
  static constexpr std::size_t batch = 256 * 1024;
  static constexpr std::size_t small = 4096;

  template <class Buffer, class Buffers>
  static Buffer first_of(const Buffers& buffers) {
    for (auto each = asio::buffer_sequence_begin(buffers); each != asio::buffer_sequence_end(buffers);
         ++each) {
      Buffer buffer(*each);
      if (buffer.size() > 0) return buffer;
    }
    return Buffer();
  }

  // False when the socket has to be waited for. `size` becomes what was read.
  bool read_into(char* data, std::size_t& size, boost::system::error_code& failed);
  void handshake_on(std::shared_ptr<std::function<void(boost::system::error_code)>> on_done);

  asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsEngine> engine_;
};

// What Beast does at the end of a WebSocket. Nobody says goodbye to TLS itself
// here: frames have a BYE of their own.
inline void teardown(boost::beast::role_type, TlsStream& stream, boost::system::error_code& failed) {
  stream.next_layer().close(failed);
}
template <class Handler>
void async_teardown(boost::beast::role_type, TlsStream& stream, Handler&& handler) {
  boost::system::error_code failed;
  stream.next_layer().close(failed);
  asio::post(stream.get_executor(), boost::beast::bind_front_handler(std::forward<Handler>(handler), failed));
}

}  // namespace tenkai
