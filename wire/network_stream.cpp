#include "wire/network_stream.h"

namespace tenkai {

asio::ip::tcp::socket& NetworkStream::next_layer() {
  auto* tls = std::get_if<TlsStream>(&stream_);
  return tls != nullptr ? tls->next_layer() : std::get<asio::ip::tcp::socket>(stream_);
}

void NetworkStream::read_some(asio::mutable_buffer buffer, OnMoved on_done) {
  if (auto* tls = std::get_if<TlsStream>(&stream_)) return tls->read_some(buffer, std::move(on_done));
  next_layer().async_read_some(buffer, std::move(on_done));
}

void NetworkStream::write_some(OnMoved on_done) {
  if (auto* tls = std::get_if<TlsStream>(&stream_)) return tls->write_some(pieces_, std::move(on_done));
  next_layer().async_write_some(pieces_, std::move(on_done));
}

}  // namespace tenkai
