// Reads the HTTP request of a WebSocket, over TCP or TLS, and answers the upgrade.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "wire/listener.h"
#include "wire/websocket_connection.h"
#include "wire/websocket_request.h"

namespace tenkai {

template <class NextLayer>
class WebSocketAccept : public std::enable_shared_from_this<WebSocketAccept<NextLayer>> {
 public:
  WebSocketAccept(NextLayer stream, Peer peer, Listener::KnowsPath knows_path, Listener::OnAccept on_accept)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        knows_path_(std::move(knows_path)),
        on_accept_(std::move(on_accept)) {}

  void start() {
    auto self = this->shared_from_this();
    peer_.ticket->expel_by([weak = this->weak_from_this()](const std::string&) {
      if (auto late = weak.lock()) late->give_up();
    });
    http::async_read_header(stream_.next_layer(), request_.buffer, request_.parser,
                            [self](boost::system::error_code failed, std::size_t) {
                              failed ? self->on_nonsense(failed) : self->on_request();
                            });
  }

 private:
  // Tells whoever sent what is no request, unless it has gone.
  void on_nonsense(const boost::system::error_code& failed) {
    bool is_http = failed.category() == http::make_error_code(http::error::bad_method).category();
    bool has_gone = failed == http::error::end_of_stream || failed == http::error::partial_message;
    is_http && !has_gone ? refuse(http::status::bad_request) : give_up();
  }

  void on_request() {
    http::status judgement = judge_upgrade(request_.parser.get(), knows_path_);
    if (judgement != http::status::ok) return refuse(judgement);
    // Beast would say which version of it we were made with.
    stream_.set_option(beast::websocket::stream_base::decorator(
        [](beast::websocket::response_type& response) { response.set(http::field::server, ""); }));
    stream_.async_accept(request_.parser.get(),
                         [self = this->shared_from_this()](boost::system::error_code failed) {
                           failed ? self->give_up() : self->on_upgraded();
                         });
  }

  void on_upgraded() {
    if (std::exchange(over_, true)) return;
    peer_.ticket->take_step();
    on_accept_(std::make_shared<WebSocketConnection<NextLayer>>(std::move(stream_), std::move(peer_)));
  }

  void refuse(http::status status) {
    response_.result(status);
    response_.version(11);
    response_.keep_alive(false);
    if (status == http::status::upgrade_required) {
      response_.set(http::field::upgrade, "websocket");
      response_.set(http::field::sec_websocket_version, "13");
    }
    response_.prepare_payload();
    http::async_write(
        stream_.next_layer(), response_,
        [self = this->shared_from_this()](boost::system::error_code, std::size_t) { self->give_up(); });
  }

  void give_up() {
    if (std::exchange(over_, true)) return;
    peer_.ticket = nullptr;
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
  }

  beast::websocket::stream<NextLayer> stream_;
  Peer peer_;
  Listener::KnowsPath knows_path_;
  Listener::OnAccept on_accept_;
  UpgradeRequest request_;
  http::response<http::empty_body> response_;
  bool over_ = false;
};

}  // namespace tenkai
