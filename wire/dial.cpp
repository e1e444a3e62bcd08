#include "wire/dial.h"

#include <fcntl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <utility>

#include "wire/failure.h"
#include "wire/local_socket.h"
#include "wire/network_stream.h"
#include "wire/tls_connection.h"
#include "wire/websocket.h"

namespace tenkai {
namespace {

using OnDone = std::function<void(Result<ConnectionPtr>)>;
using tcp = asio::ip::tcp;

Error cannot_connect(const Url& url, Error why) {
  why.message += ": cannot connect to " + to_string(url);
  return why;
}

// A local connect() is decided at once, but for one case: the queue of whoever listens
// is full. A blocking connect() would wait for ever then, and anybody may have taken
// the name; whose it is the kernel tells only of those who let us in.
class LocalDial : public std::enable_shared_from_this<LocalDial> {
 public:
  LocalDial(asio::any_io_executor executor, Url url, OnDone on_done)
      : socket_(executor), pause_(executor), url_(std::move(url)), on_done_(std::move(on_done)) {}

  void start(std::chrono::milliseconds time_limit) {
    until_ = std::chrono::steady_clock::now() + time_limit;
    try_once();
  }

 private:
  void try_once() {
    boost::system::error_code failed = connect_at_once(socket_, url_);
    if (failed == asio::error::try_again) return try_again();
    if (failed) return on_done_(cannot_connect(url_, failure_of(failed)));
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    Result<Peer> peer = local_peer(socket_.native_handle());
    if (!peer)
      return on_done_(cannot_connect(url_, with_code(Code::permission_denied, peer.error().message)));
    on_done_(make_socket_connection(std::move(socket_), std::move(*peer)));
  }

  void try_again() {
    if (std::chrono::steady_clock::now() >= until_) {
      return on_done_(cannot_connect(
          url_,
          in_detail(Code::timed_out, " (as many wait there already as may, and nobody takes their calls)")));
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    pause_.expires_after(std::chrono::milliseconds(20));
    pause_.async_wait([self = shared_from_this()](boost::system::error_code) { self->try_once(); });
  }

  asio::local::stream_protocol::socket socket_;
  asio::steady_timer pause_;
  std::chrono::steady_clock::time_point until_;
  Url url_;
  OnDone on_done_;
};

class NetworkDial : public std::enable_shared_from_this<NetworkDial> {
 public:
  NetworkDial(asio::any_io_executor executor, Url url, std::shared_ptr<const TlsDialler> tls, OnDone on_done)
      : resolver_(executor),
        timer_(executor),
        socket_(executor),
        url_(std::move(url)),
        tls_(std::move(tls)),
        on_done_(std::move(on_done)) {}

  void start(std::chrono::milliseconds time_limit) {
    step_limit_ = time_limit;
    begin_step("");
    std::string host = url_.host.empty() ? "localhost" : url_.host;
    resolver_.async_resolve(host, std::to_string(url_.port), asio::ip::resolver_base::numeric_service,
                            [self = shared_from_this()](boost::system::error_code failed, auto found) {
                              if (failed) return self->fail(failure_of(failed));
                              self->connect(std::move(found));
                            });
  }

 private:
  // A link with seconds of delay needs as much for each answer.
  void begin_step(std::string how_far) {
    stage_ = std::move(how_far);
    timer_.expires_after(step_limit_);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->fail(in_detail(Code::timed_out, self->stage_));
    });
  }

  void connect(tcp::resolver::results_type found) {
    for (const auto& entry : found) {
      std::string address = entry.endpoint().address().to_string();
      if (address != url_.host) tried_ += (tried_.empty() ? " (" : ", ") + address;
    }
    if (!tried_.empty()) tried_ += ")";
    abort_ = [this] { close(socket_); };
    asio::async_connect(
        socket_, found,
        [self = shared_from_this()](boost::system::error_code failed, const tcp::endpoint& reached) {
          if (failed) return self->fail(failure_of(failed));
          self->connected(reached);
        });
  }

  void connected(const tcp::endpoint& reached) {
    if (!on_done_) return;
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
    tune_network_socket(socket_.native_handle());
    peer_.address = reached.address().to_string() + ":" + std::to_string(reached.port());
    peer_.network = true;
    if (is_encrypted(url_)) return secure();
    if (is_websocket(url_)) return upgrade(NetworkStream(std::move(socket_)));
    succeed(make_socket_connection(std::move(socket_), std::move(peer_)));
  }

  void secure() {
    begin_step(" (connected, but no TLS came)");
    auto stream = std::make_shared<TlsStream>(std::move(socket_), *tls_->context());
    abort_ = [stream] { close(stream->next_layer()); };
    auto why = std::make_shared<std::string>();
    Result<Done> prepared = tls_->prepare(stream->native_handle(), url_.host, why);
    if (!prepared) return fail(with_code(Code::cryptographic_error, prepared.error().message));
    stream->async_handshake(asio::ssl::stream_base::client,
                            [self = shared_from_this(), stream, why](boost::system::error_code failed) {
                              if (failed) return self->fail(reason_of(failed, *why));
                              self->secured(std::move(*stream));
                            });
  }

  static Error reason_of(const boost::system::error_code& failed, const std::string& why) {
    if (is_hang_up(failed))
      return in_detail(Code::reset, " (the other end hung up before TLS was agreed on)");
    if (!why.empty()) return with_code(Code::peer_unknown, tls_failure(failed, why));
    bool of_the_socket = failed.category() == boost::system::system_category();
    return of_the_socket ? failure_of(failed)
                         : with_code(Code::cryptographic_error, tls_failure(failed, why));
  }

  void secured(TlsStream stream) {
    if (!on_done_) return;
    Result<Digest> binding = channel_binding(stream.native_handle());
    if (!binding) return fail(with_code(Code::cryptographic_error, binding.error().message));
    peer_.binding.assign(reinterpret_cast<const char*>(binding->data()), binding->size());
    if (is_websocket(url_)) return upgrade(NetworkStream(std::move(stream)));
    succeed(std::make_shared<TlsConnection>(std::move(stream), std::move(peer_)));
  }

  void upgrade(NetworkStream stream) {
    begin_step(" (connected, but no WebSocket came)");
    abort_ = begin_websocket(std::move(stream), url_, std::move(peer_),
                             [self = shared_from_this()](Result<ConnectionPtr> begun) {
                               begun ? self->succeed(std::move(*begun)) : self->fail(begun.error());
                             });
  }

  static void close(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  void fail(Error why) {
    if (!on_done_) return;
    resolver_.cancel();
    if (abort_) abort_();
    Error error = cannot_connect(url_, std::move(why));
    error.message += tried_;
    finish(std::move(error));
  }
  void succeed(ConnectionPtr connection) { finish(std::move(connection)); }
  void finish(Result<ConnectionPtr> result) {
    timer_.cancel();
    abort_ = nullptr;
    if (OnDone on_done = std::exchange(on_done_, nullptr)) on_done(std::move(result));
  }

  tcp::resolver resolver_;
  asio::steady_timer timer_;
  tcp::socket socket_;
  std::function<void()> abort_;  // closes what the socket has become
  std::chrono::milliseconds step_limit_{0};
  std::string stage_;  // how far it has come, for a time-out
  std::string tried_;  // the addresses of a name, for people
  Url url_;
  std::shared_ptr<const TlsDialler> tls_;
  OnDone on_done_;
  Peer peer_;
};

}  // namespace

void dial(asio::any_io_executor executor, const Url& url, std::chrono::milliseconds step_limit,
          std::shared_ptr<const TlsDialler> tls, OnDone on_done) {
  if (is_encrypted(url) && !tls) {
    return asio::post(executor, [url, on_done = std::move(on_done)] {
      on_done(cannot_connect(
          url, with_code(Code::peer_unknown, "there is no credential and no certificate to know it by")));
    });
  }
  if (is_network(url)) {
    return std::make_shared<NetworkDial>(executor, url, std::move(tls), std::move(on_done))
        ->start(step_limit);
  }
  asio::post(executor, [executor, url, step_limit, on_done = std::move(on_done)]() mutable {
    std::make_shared<LocalDial>(executor, url, std::move(on_done))->start(step_limit);
  });
}

}  // namespace tenkai
