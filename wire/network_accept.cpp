#include "wire/network_accept.h"

#include <spdlog/spdlog.h>

#include <boost/asio/ssl/stream_base.hpp>
#include <string>
#include <utility>

#include "wire/network_stream.h"
#include "wire/tls_connection.h"
#include "wire/websocket.h"

namespace tenkai {
namespace {

void upgrade(NetworkStream stream, Peer peer, const Listener::Door& door, Listener::OnAccept on_accept) {
  accept_websocket(std::move(stream), std::move(peer), door.knows_path, std::move(on_accept));
}

class TlsAccept : public std::enable_shared_from_this<TlsAccept> {
 public:
  TlsAccept(asio::ip::tcp::socket socket, Peer peer, const Listener::Door& door, Listener::OnAccept on_accept)
      : stream_(std::move(socket), *door.identity->context()),
        peer_(std::move(peer)),
        door_(door),
        on_accept_(std::move(on_accept)) {}

  void start() {
    peer_.ticket->expel_by([weak = weak_from_this()](const std::string&) {
      if (auto late = weak.lock()) late->give_up();
    });
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this()](boost::system::error_code failed) {
                              failed ? self->on_failed(failed) : self->on_secured();
                            });
  }

 private:
  void on_failed(const boost::system::error_code& failed) {
    if (!over_) spdlog::info("{}: no TLS: {}", peer_.address, tls_failure(failed, {}));
    give_up();
  }

  void on_secured() {
    if (over_) return;
    Result<Digest> binding = channel_binding(stream_.native_handle());
    if (!binding) return give_up();
    over_ = true;
    peer_.ticket->take_step();
    peer_.binding.assign(reinterpret_cast<const char*>(binding->data()), binding->size());
    if (is_websocket(door_.url)) {
      return upgrade(NetworkStream(std::move(stream_)), std::move(peer_), door_, std::move(on_accept_));
    }
    on_accept_(std::make_shared<TlsConnection>(std::move(stream_), std::move(peer_)));
  }

  void give_up() {
    if (std::exchange(over_, true)) return;
    peer_.ticket = nullptr;
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

  TlsStream stream_;
  Peer peer_;
  Listener::Door door_;
  Listener::OnAccept on_accept_;
  bool over_ = false;
};

// Has connected, and has not said anything yet. The state of a TLS connection takes
// up to 60 KiB, which nobody gets for only coming in.
class Caller : public std::enable_shared_from_this<Caller> {
 public:
  Caller(asio::ip::tcp::socket socket, Peer peer, const Listener::Door& door, Listener::OnAccept on_accept)
      : socket_(std::move(socket)), peer_(std::move(peer)), door_(door), on_accept_(std::move(on_accept)) {}

  void start() {
    peer_.ticket->expel_by([weak = weak_from_this()](const std::string&) {
      auto late = weak.lock();
      boost::system::error_code ignored;
      if (late) late->socket_.close(ignored);
    });
    socket_.async_wait(asio::socket_base::wait_read,
                       [self = shared_from_this()](boost::system::error_code failed) {
                         if (failed || !self->socket_.is_open()) return;
                         std::make_shared<TlsAccept>(std::move(self->socket_), std::move(self->peer_),
                                                     self->door_, std::move(self->on_accept_))
                             ->start();
                       });
  }

 private:
  asio::ip::tcp::socket socket_;
  Peer peer_;
  Listener::Door door_;
  Listener::OnAccept on_accept_;
};

}  // namespace

void accept_network(asio::ip::tcp::socket socket, Peer peer, const Listener::Door& door,
                    Listener::OnAccept on_accept) {
  std::string address = peer.address.substr(0, peer.address.rfind(':'));
  peer.ticket = door.strangers->enter(std::move(address), nullptr);
  if (is_encrypted(door.url)) {
    auto caller = std::make_shared<Caller>(std::move(socket), std::move(peer), door, std::move(on_accept));
    return caller->start();
  }
  if (is_websocket(door.url))
    return upgrade(NetworkStream(std::move(socket)), std::move(peer), door, std::move(on_accept));
  on_accept(make_socket_connection(std::move(socket), std::move(peer)));
}

}  // namespace tenkai
