// TLS over a TCP socket: OpenSSL computes, this moves the bytes.
//
// Asio has such a stream too. It makes a system call for each record of 16 KiB and
// copies every byte twice more; here a quarter of a megabyte is encrypted, and then
// written, at a time, which nearly doubles what goes through.
//
// One read and one write may be under way at a time.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream_base.hpp>
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
  std::size_t encrypt(const std::vector<asio::const_buffer>& pieces, boost::system::error_code& failed);

  // Some bytes in or out; `on_done` is called once, from the event loop, and keeps the
  // stream alive.
  using OnMoved = std::function<void(boost::system::error_code, std::size_t)>;
  void read_some(asio::mutable_buffer buffer, OnMoved on_done);
  void write_some(const std::vector<asio::const_buffer>& pieces, OnMoved on_done);

 private:
  // False when the socket has to be waited for. `size` becomes what was read.
  bool read_into(char* data, std::size_t& size, boost::system::error_code& failed);
  void read_now(asio::mutable_buffer buffer, OnMoved on_done);
  void send_now(std::size_t size, OnMoved on_done);
  void handshake_on(std::shared_ptr<std::function<void(boost::system::error_code)>> on_done);

  asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsEngine> engine_;
};

}  // namespace tenkai
