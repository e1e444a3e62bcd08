#include "plugins/ssh/libssh2/link.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tenkai::ssh {
namespace {

// libssh2 takes all there is, whatever it is asked; this holds what it does not.
constexpr std::size_t max_inbox = 1024 * 1024;

struct Library {
  Library() { libssh2_init(0); }
  ~Library() { libssh2_exit(); }
};

template <class Function>
void set_callback(LIBSSH2_SESSION* session, int which, Function function) {
#if LIBSSH2_VERSION_NUM >= 0x010b01
  libssh2_session_callback_set2(session, which, reinterpret_cast<libssh2_cb_generic*>(function));
#else
  libssh2_session_callback_set(session, which, reinterpret_cast<void*>(function));
#endif
}

}  // namespace

Link::Link(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
  static Library library;
  session_ = libssh2_session_init_ex(nullptr, nullptr, nullptr, this);
  libssh2_session_set_blocking(session_, 0);
  set_callback(session_, LIBSSH2_CALLBACK_SEND, &Link::on_send);
  set_callback(session_, LIBSSH2_CALLBACK_RECV, &Link::on_receive);
  // No answer is wanted: libssh2 would take it for that to a request for a tunnel.
  libssh2_keepalive_config(session_, 0, 15);
}

// It frees its channels one by one, and would wait for the other side's consent to
// each; with nothing coming in any more it does not.
Link::~Link() {
  ended_ = true;
  for (int i = 0; i < 1000 && libssh2_session_free(session_) == LIBSSH2_ERROR_EAGAIN; ++i) continue;
}

std::string Link::error() const {
  char* text = nullptr;
  int size = 0;
  libssh2_session_last_error(session_, &text, &size, 0);
  return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

ssize_t Link::on_send(libssh2_socket_t, const void* data, std::size_t size, int, void** link) {
  auto* self = static_cast<Link*>(*link);
  if (!self->ended_) self->outbox_.append(static_cast<const char*>(data), size);
  return static_cast<ssize_t>(size);
}

ssize_t Link::on_receive(libssh2_socket_t, void* data, std::size_t size, int, void** link) {
  auto* self = static_cast<Link*>(*link);
  std::size_t there = self->inbox_.size() - self->taken_;
  if (there == 0) return self->ended_ ? 0 : -EAGAIN;
  size = std::min(size, there);
  std::memcpy(data, self->inbox_.data() + self->taken_, size);
  self->taken_ += size;
  if (self->taken_ == self->inbox_.size()) {
    self->inbox_.clear();
    self->taken_ = 0;
  }
  return static_cast<ssize_t>(size);
}

void Link::run(std::function<void()> on_bytes, std::function<void(std::string)> on_lost) {
  on_bytes_ = std::move(on_bytes);
  on_lost_ = std::move(on_lost);
  read();
}

void Link::read() {
  socket_.async_read_some(
      asio::buffer(buffer_), [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
        if (self->closing_) return;
        self->inbox_.append(self->buffer_.data(), size);
        self->tell_bytes();
        if (self->closing_) return;
        if (failed) return self->lose(failed == asio::error::eof ? "closed by the host" : failed.message());
        if (self->inbox_.size() > max_inbox) return self->lose("it sent more than anybody had asked for");
        self->read();
      });
}

// A copy is called, because it may close the link, and so forget itself.
void Link::tell_bytes() {
  auto on_bytes = on_bytes_;
  if (on_bytes) on_bytes();
}

void Link::flush() {
  if (sending_.empty() && !outbox_.empty()) send();
}

void Link::send() {
  sending_.swap(outbox_);
  asio::async_write(socket_, asio::buffer(sending_),
                    [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                      self->sending_.clear();
                      if (failed) return self->lose(failed.message());
                      if (!self->outbox_.empty()) self->send();
                      if (self->closing_) {
                        boost::system::error_code ignored;
                        if (self->sending_.empty()) self->socket_.close(ignored);
                        return;
                      }
                      self->tell_bytes();
                    });
}

void Link::lose(const std::string& why) {
  ended_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  on_bytes_ = nullptr;
  if (auto on_lost = std::exchange(on_lost_, nullptr)) on_lost(why);
}

void Link::close() {
  if (closing_) return;
  on_bytes_ = nullptr;
  on_lost_ = nullptr;
  if (!ended_) libssh2_session_disconnect(session_, "farewell");
  closing_ = true;
  ended_ = true;
  flush();
  boost::system::error_code ignored;
  if (sending_.empty()) socket_.close(ignored);
}

}  // namespace tenkai::ssh
