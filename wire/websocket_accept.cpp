#include "wire/websocket_accept.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <utility>

#include "wire/websocket_connection.h"

namespace tenkai {
namespace {

namespace http = beast::http;

constexpr std::size_t max_head = 4096;
constexpr std::size_t max_half_open = 256;
constexpr std::chrono::seconds time_limit{10};

class Upgrade;
// Those who have not finished their request yet, oldest first.
std::list<std::weak_ptr<Upgrade>>& half_open() {
  static std::list<std::weak_ptr<Upgrade>> all;
  return all;
}

class Upgrade : public std::enable_shared_from_this<Upgrade> {
 public:
  Upgrade(asio::ip::tcp::socket socket, Peer peer, Listener::KnowsPath knows_path,
          Listener::OnAccept on_accept)
      : timer_(socket.get_executor()),
        stream_(std::move(socket)),
        peer_(std::move(peer)),
        knows_path_(std::move(knows_path)),
        on_accept_(std::move(on_accept)) {
    parser_.header_limit(max_head);
    parser_.body_limit(0);
  }

  void start() {
    place_ = half_open().insert(half_open().end(), weak_from_this());
    timer_.expires_after(time_limit);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->give_up();
    });
    http::async_read_header(
        stream_.next_layer(), buffer_, parser_,
        [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
          if (!failed) return self->on_request();
          // What is no request is told so; who has gone is not.
          bool nonsense = failed.category() == http::make_error_code(http::error::bad_method).category() &&
                          failed != http::error::end_of_stream && failed != http::error::partial_message;
          nonsense ? self->refuse(http::status::bad_request) : self->give_up();
        });
  }

  void give_up() {
    if (std::exchange(over_, true)) return;
    half_open().erase(place_);
    timer_.cancel();
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  void on_request() {
    const auto& request = parser_.get();
    if (request.method() != http::verb::get) return refuse(http::status::method_not_allowed);
    // Browsers send Origin; a page in one must not reach us.
    if (request.count(http::field::origin) != 0) return refuse(http::status::forbidden);
    std::string_view target(request.target().data(), request.target().size());
    if (!knows_path_ || !knows_path_(target)) return refuse(http::status::not_found);
    if (!beast::websocket::is_upgrade(request) || request.count(http::field::upgrade) != 1) {
      return refuse(http::status::upgrade_required);
    }
    stream_.async_accept(request, [self = shared_from_this()](boost::system::error_code failed) {
      if (failed) return self->give_up();
      self->on_upgraded();
    });
  }

  void on_upgraded() {
    if (std::exchange(over_, true)) return;
    half_open().erase(place_);
    timer_.cancel();
    using Connected = WebSocketConnection<asio::ip::tcp::socket>;
    on_accept_(std::make_shared<Connected>(std::move(stream_), std::move(peer_)));
  }

  void refuse(http::status status) {
    response_.result(status);
    response_.version(11);
    response_.keep_alive(false);
    response_.prepare_payload();
    http::async_write(
        stream_.next_layer(), response_,
        [self = shared_from_this()](boost::system::error_code, std::size_t) { self->give_up(); });
  }

  asio::steady_timer timer_;
  beast::websocket::stream<asio::ip::tcp::socket> stream_;
  Peer peer_;
  Listener::KnowsPath knows_path_;
  Listener::OnAccept on_accept_;
  beast::flat_static_buffer<max_head> buffer_;
  http::request_parser<http::empty_body> parser_;
  http::response<http::empty_body> response_;
  std::list<std::weak_ptr<Upgrade>>::iterator place_;
  bool over_ = false;
};

}  // namespace

void accept_websocket(asio::ip::tcp::socket socket, Peer peer, Listener::KnowsPath knows_path,
                      Listener::OnAccept on_accept) {
  if (half_open().size() >= max_half_open) {
    if (auto oldest = half_open().front().lock()) oldest->give_up();
  }
  std::make_shared<Upgrade>(std::move(socket), std::move(peer), std::move(knows_path), std::move(on_accept))
      ->start();
}

}  // namespace tenkai
