// What a WebSocket goes over: a TCP socket, with TLS or without.
//
// Satisfies what Beast wants of a stream. Who waits for it is kept as one type of
// function, so that Beast's templates, which take longer to compile than all the rest
// of this folder, are compiled for one stream and end here. One read and one write may
// be under way at a time.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "wire/tls_stream.h"

namespace tenkai {

class NetworkStream {
 public:
  using next_layer_type = asio::ip::tcp::socket;
  using executor_type = next_layer_type::executor_type;

  explicit NetworkStream(asio::ip::tcp::socket socket) : stream_(std::move(socket)) {}
  explicit NetworkStream(TlsStream stream) : stream_(std::move(stream)) {}

  next_layer_type& next_layer();
  const next_layer_type& next_layer() const { return const_cast<NetworkStream*>(this)->next_layer(); }
  executor_type get_executor() { return next_layer().get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, asio::mutable_buffer buffer) { read_some(buffer, keep(std::move(handler))); },
        token, first_of(buffers));
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    pieces_.clear();
    for (auto each = asio::buffer_sequence_begin(buffers); each != asio::buffer_sequence_end(buffers); ++each)
      pieces_.emplace_back(*each);
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler) { write_some(keep(std::move(handler))); }, token);
  }

  void close(boost::system::error_code& failed) { next_layer().close(failed); }

 private:
  using OnMoved = TlsStream::OnMoved;

  // Beast's handlers can be moved only, a std::function copied only.
  template <class Handler>
  static OnMoved keep(Handler handler) {
    return [kept = std::make_shared<Handler>(std::move(handler))](boost::system::error_code failed,
                                                                  std::size_t size) {
      Handler once(std::move(*kept));
      once(failed, size);
    };
  }

  template <class Buffers>
  static asio::mutable_buffer first_of(const Buffers& buffers) {
    for (auto each = asio::buffer_sequence_begin(buffers); each != asio::buffer_sequence_end(buffers);
         ++each) {
      asio::mutable_buffer buffer(*each);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }

  void read_some(asio::mutable_buffer buffer, OnMoved on_done);
  void write_some(OnMoved on_done);

  std::variant<asio::ip::tcp::socket, TlsStream> stream_;
  std::vector<asio::const_buffer> pieces_;  // of the write under way
};

// What Beast does at the end of a WebSocket. Nobody says goodbye to TLS itself, nor waits
// for the other end, here: frames have a BYE of their own.
inline void teardown(boost::beast::role_type, NetworkStream& stream, boost::system::error_code& failed) {
  stream.close(failed);
}
template <class Handler>
void async_teardown(boost::beast::role_type, NetworkStream& stream, Handler&& handler) {
  boost::system::error_code failed;
  stream.close(failed);
  asio::post(stream.get_executor(), boost::beast::bind_front_handler(std::forward<Handler>(handler), failed));
}

}  // namespace tenkai
