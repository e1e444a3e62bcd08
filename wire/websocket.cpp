#include "wire/websocket.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "wire/failure.h"
#include "wire/websocket_request.h"

namespace tenkai {
namespace {

namespace beast = boost::beast;
// Without compression, which nobody asks for.
using WebSocket = beast::websocket::stream<NetworkStream, false>;

// What Beast reads into is the frame reader's own room.
class WebSocketConnection final : public Connection {
 public:
  WebSocketConnection(WebSocket stream, Peer peer)
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
    PassedFiles none;
    std::size_t count = outbox().gather(pieces, pieces_per_write, bytes_per_write, none);
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

  WebSocket stream_;
  std::vector<asio::const_buffer> buffers_;
};

class WebSocketAccept : public std::enable_shared_from_this<WebSocketAccept> {
 public:
  WebSocketAccept(NetworkStream stream, Peer peer, Listener::KnowsPath knows_path,
                  Listener::OnAccept on_accept)
      : stream_(std::move(stream)),
        peer_(std::move(peer)),
        knows_path_(std::move(knows_path)),
        on_accept_(std::move(on_accept)) {}

  void start() {
    auto self = shared_from_this();
    peer_.ticket->expel_by([weak = weak_from_this()](const std::string&) {
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
                         [self = shared_from_this()](boost::system::error_code failed) {
                           failed ? self->give_up() : self->on_upgraded();
                         });
  }

  void on_upgraded() {
    if (std::exchange(over_, true)) return;
    peer_.ticket->take_step();
    on_accept_(std::make_shared<WebSocketConnection>(std::move(stream_), std::move(peer_)));
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
        [self = shared_from_this()](boost::system::error_code, std::size_t) { self->give_up(); });
  }

  void give_up() {
    if (std::exchange(over_, true)) return;
    peer_.ticket = nullptr;
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
  }

  WebSocket stream_;
  Peer peer_;
  Listener::KnowsPath knows_path_;
  Listener::OnAccept on_accept_;
  UpgradeRequest request_;
  http::response<http::empty_body> response_;
  bool over_ = false;
};

class WebSocketDial : public std::enable_shared_from_this<WebSocketDial> {
 public:
  WebSocketDial(NetworkStream stream, Peer peer, std::function<void(Result<ConnectionPtr>)> on_done)
      : stream_(std::move(stream)), peer_(std::move(peer)), on_done_(std::move(on_done)) {}

  void start(const Url& url) {
    bool v6 = url.host.find(':') != std::string::npos;
    std::string host = (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
    stream_.async_handshake(
        response_, host, url.path.empty() ? "/" : url.path,
        [self = shared_from_this()](boost::system::error_code failed) { self->on_answer(failed); });
  }

  void give_up() {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
  }

 private:
  void on_answer(const boost::system::error_code& failed) {
    if (failed) return on_done_(reason_of(failed));
    on_done_(ConnectionPtr(std::make_shared<WebSocketConnection>(std::move(stream_), std::move(peer_))));
  }

  Error reason_of(const boost::system::error_code& failed) const {
    if (failed == beast::websocket::error::upgrade_declined) {
      return in_detail(Code::not_found,
                       " (HTTP status " + std::to_string(response_.result_int()) +
                           ": nothing is expected at this path; where saisei() has given the slot a new URL, "
                           "launch_remote() on the host makes a new command)");
    }
    bool hung_up = failed == http::error::end_of_stream || failed == http::error::partial_message;
    if (hung_up || is_hang_up(failed)) return in_detail(Code::reset, " (the other end hung up)");
    return failure_of(failed);
  }

  WebSocket stream_;
  Peer peer_;
  std::function<void(Result<ConnectionPtr>)> on_done_;
  beast::websocket::response_type response_;
};

}  // namespace

void accept_websocket(NetworkStream stream, Peer peer, Listener::KnowsPath knows_path,
                      Listener::OnAccept on_accept) {
  std::make_shared<WebSocketAccept>(std::move(stream), std::move(peer), std::move(knows_path),
                                    std::move(on_accept))
      ->start();
}

std::function<void()> begin_websocket(NetworkStream stream, const Url& url, Peer peer,
                                      std::function<void(Result<ConnectionPtr>)> on_done) {
  auto dial = std::make_shared<WebSocketDial>(std::move(stream), std::move(peer), std::move(on_done));
  dial->start(url);
  return [dial] { dial->give_up(); };
}

}  // namespace tenkai
