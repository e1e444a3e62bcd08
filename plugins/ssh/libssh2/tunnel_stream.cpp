#include "plugins/ssh/libssh2/tunnel_stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <utility>

namespace tenkai::ssh {

using asio::ip::tcp;

TunnelStream::TunnelStream(asio::any_io_executor executor, LIBSSH2_CHANNEL* channel, std::uint16_t port,
                           std::function<void()> on_progress)
    : ours_(executor), channel_(channel), port_(port), on_progress_(std::move(on_progress)) {}

// What listens on "localhost" may do so on ::1 alone.
void TunnelStream::connect(const asio::ip::address& address) {
  ours_.async_connect({address, port_},
                      [self = shared_from_this(), address](boost::system::error_code failed) {
                        boost::system::error_code closing;
                        if (self->over_) return;
                        if (failed && address.is_v4()) {
                          self->ours_.close(closing);
                          return self->connect(asio::ip::address_v6::loopback());
                        }
                        if (failed) return self->end();
                        boost::system::error_code ignored;
                        self->ours_.set_option(tcp::no_delay(true), ignored);
                        self->connected_ = true;
                        self->tell_progress();
                      });
}

void TunnelStream::pump(Link& link) {
  if (over_ || !connected_) return;
  while (push_up(link)) continue;
  pull_down();
  if (up_eof_sent_ && down_ended_ && !writing_) end();
}

// True where it may go on at once.
bool TunnelStream::push_up(Link& link) {
  if (reading_ || up_eof_sent_) return false;
  if (up_sent_ == up_size_) {
    if (!up_ended_) {
      if (!link.is_full()) read_ours();
      return false;
    }
    up_eof_sent_ = libssh2_channel_send_eof(channel_) != LIBSSH2_ERROR_EAGAIN;
    return false;
  }
  if (link.is_full()) return false;
  ssize_t sent = libssh2_channel_write(channel_, up_.data() + up_sent_, up_size_ - up_sent_);
  if (sent < 0 && sent != LIBSSH2_ERROR_EAGAIN) {
    end();
    return false;
  }
  if (sent <= 0) return false;
  up_sent_ += static_cast<std::size_t>(sent);
  return true;
}

void TunnelStream::read_ours() {
  reading_ = true;
  ours_.async_read_some(asio::buffer(up_),
                        [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
                          self->reading_ = false;
                          if (self->over_) return;
                          self->up_size_ = size;
                          self->up_sent_ = 0;
                          self->up_ended_ = failed.failed();
                          if (failed && failed != asio::error::eof) return self->end();
                          self->tell_progress();
                        });
}

void TunnelStream::pull_down() {
  if (writing_ || down_ended_) return;
  ssize_t size = libssh2_channel_read(channel_, down_.data(), down_.size());
  if (size > 0) return write_ours(static_cast<std::size_t>(size));
  if (libssh2_channel_eof(channel_) == 1) {
    down_ended_ = true;
    boost::system::error_code ignored;
    ours_.shutdown(tcp::socket::shutdown_send, ignored);
  } else if (size < 0 && size != LIBSSH2_ERROR_EAGAIN) {
    end();
  }
}

void TunnelStream::write_ours(std::size_t size) {
  writing_ = true;
  asio::async_write(ours_, asio::buffer(down_, size),
                    [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                      self->writing_ = false;
                      if (self->over_) return;
                      if (failed) return self->end();
                      self->tell_progress();
                    });
}

void TunnelStream::end() {
  over_ = true;
  boost::system::error_code ignored;
  ours_.close(ignored);
  tell_progress();
}

// A copy is called, because it may stop the stream, and so forget itself.
void TunnelStream::tell_progress() {
  auto on_progress = on_progress_;
  if (on_progress) on_progress();
}

void TunnelStream::stop() {
  on_progress_ = nullptr;
  channel_ = nullptr;
  over_ = true;
  boost::system::error_code ignored;
  ours_.close(ignored);
}

}  // namespace tenkai::ssh
