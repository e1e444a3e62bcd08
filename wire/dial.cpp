#include "wire/dial.h"

#include <fcntl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "wire/failure.h"
#include "wire/local_socket.h"
#include "wire/websocket_connection.h"

namespace tenkai {
namespace {

using OnDone = std::function<void(Result<ConnectionPtr>)>;
using tcp = asio::ip::tcp;

Error cannot_connect(const Url& url, const std::string& why) {
  return Error{why + ": cannot connect to " + to_string(url)};
}

void dial_local(asio::any_io_executor executor, const Url& url, OnDone on_done) {
  asio::local::stream_protocol::socket socket(executor);
  boost::system::error_code failed;
  // A local connect() is decided at once.
  socket.connect(local_endpoint(url), failed);
  if (failed) return on_done(cannot_connect(url, failure_text(failed)));
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  Result<Peer> peer = local_peer(socket.native_handle());
  if (!peer) return on_done(cannot_connect(url, "16 | Permission denied: " + peer.error().message));
  on_done(make_socket_connection(std::move(socket), std::move(*peer)));
}

class NetworkDial : public std::enable_shared_from_this<NetworkDial> {
 public:
  NetworkDial(asio::any_io_executor executor, Url url, OnDone on_done)
      : resolver_(executor),
        timer_(executor),
        stream_(executor),
        url_(std::move(url)),
        on_done_(std::move(on_done)) {}

  void start(std::chrono::milliseconds time_limit) {
    timer_.expires_after(time_limit);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->fail("5 | Timed out");
    });
    std::string host = url_.host.empty() ? "localhost" : url_.host;
    resolver_.async_resolve(host, std::to_string(url_.port), asio::ip::resolver_base::numeric_service,
                            [self = shared_from_this()](boost::system::error_code failed, auto found) {
                              if (failed) return self->fail(failure_text(failed));
                              self->connect(std::move(found));
                            });
  }

 private:
  void connect(tcp::resolver::results_type found) {
    asio::async_connect(
        socket(), found,
        [self = shared_from_this()](boost::system::error_code failed, const tcp::endpoint& reached) {
          if (failed) return self->fail(failure_text(failed));
          self->connected(reached);
        });
  }

  void connected(const tcp::endpoint& reached) {
    if (!on_done_) return;
    ::fcntl(socket().native_handle(), F_SETFD, FD_CLOEXEC);
    tune_network_socket(socket().native_handle());
    peer_.address = reached.address().to_string() + ":" + std::to_string(reached.port());
    peer_.network = true;
    if (!is_websocket(url_)) {
      return succeed(make_socket_connection(std::move(socket()), std::move(peer_)));
    }
    bool v6 = url_.host.find(':') != std::string::npos;
    std::string host = (v6 ? "[" + url_.host + "]" : url_.host) + ":" + std::to_string(url_.port);
    std::string target = url_.path.empty() ? "/" : url_.path;
    stream_.async_handshake(response_, host, target,
                            [self = shared_from_this()](boost::system::error_code failed) {
                              if (failed) return self->on_declined(failed);
                              auto stream = std::make_shared<WebSocketConnection<tcp::socket>>(
                                  std::move(self->stream_), std::move(self->peer_));
                              self->succeed(std::move(stream));
                            });
  }

  void on_declined(const boost::system::error_code& failed) {
    if (failed == beast::websocket::error::upgrade_declined) {
      return fail("12 | Entry not found (HTTP status " + std::to_string(response_.result_int()) +
                  ": nothing is expected at this path)");
    }
    fail(failure_text(failed));
  }

  tcp::socket& socket() { return stream_.next_layer(); }

  void fail(const std::string& why) {
    if (!on_done_) return;
    boost::system::error_code ignored;
    resolver_.cancel();
    socket().close(ignored);
    finish(cannot_connect(url_, why));
  }
  void succeed(ConnectionPtr connection) { finish(std::move(connection)); }
  void finish(Result<ConnectionPtr> result) {
    timer_.cancel();
    if (OnDone on_done = std::exchange(on_done_, nullptr)) on_done(std::move(result));
  }

  tcp::resolver resolver_;
  asio::steady_timer timer_;
  beast::websocket::stream<tcp::socket> stream_;
  beast::websocket::response_type response_;
  Url url_;
  OnDone on_done_;
  Peer peer_;
};

}  // namespace

void dial(asio::any_io_executor executor, const Url& url, std::chrono::milliseconds time_limit,
          OnDone on_done) {
  if (is_encrypted(url)) {
    return asio::post(executor, [url, on_done = std::move(on_done)] {
      on_done(
          Error{"9 | Not supported: " + to_string(url) + " needs TLS, which this version does not have yet"});
    });
  }
  if (is_network(url)) {
    return std::make_shared<NetworkDial>(executor, url, std::move(on_done))->start(time_limit);
  }
  asio::post(executor, [executor, url, on_done = std::move(on_done)]() mutable {
    dial_local(executor, url, std::move(on_done));
  });
}

}  // namespace tenkai
