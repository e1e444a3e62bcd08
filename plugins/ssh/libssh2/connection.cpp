#include "plugins/ssh/libssh2/connection.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "launcher/plugin/client_failure.h"

namespace tenkai::ssh {
namespace {

// That wait at the host to be taken.
constexpr int max_waiting_streams = 128;

}  // namespace

Connection::Connection(asio::any_io_executor executor, const Libssh2Host& host, Events events)
    : executor_(executor), host_(host), events_(std::move(events)), timer_(executor) {}

void Connection::run() {
  started_ = std::chrono::steady_clock::now();
  reach_ = std::make_shared<Reach>(executor_, host_.settings.host, host_.settings.port, host_.timeout);
  reach_->run([self = shared_from_this()](std::optional<Reach::Socket> socket, const Failure& failure) {
    self->reach_.reset();
    if (!socket) return self->refuse({failure, false});
    self->on_socket(std::move(*socket));
  });
}

void Connection::on_socket(Reach::Socket socket) {
  link_ = std::make_shared<Link>(std::move(socket));
  login_ = std::make_unique<Login>(executor_, host_, *link_, [this] { pump(); });
  timer_.expires_at(started_ + host_.timeout);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (!failed && self->login_) self->refuse(self->login_->give_up(true, {}));
  });
  std::weak_ptr<Connection> weak = weak_from_this();
  link_->run(
      [weak] {
        if (auto self = weak.lock()) self->pump();
      },
      [weak](const std::string& why) {
        if (auto self = weak.lock()) self->on_lost(why);
      });
  pump();
}

// By value: close() may end whoever has said so.
void Connection::refuse(Refusal refusal) {
  auto refused = events_.refused;
  close();
  if (refused) refused(refusal);
}

void Connection::on_lost(const std::string& why) {
  if (closed_) return;
  if (login_) return refuse(login_->give_up(false, why));
  auto lost = events_.lost;
  close();
  if (lost) lost(why);
}

// What it calls may come back here, and may close the connection.
void Connection::pump() {
  if (closed_ || !link_) return;
  again_ = true;
  if (pumping_) return;
  auto self = shared_from_this();
  pumping_ = true;
  while (again_ && !closed_) {
    again_ = false;
    if (login_) {
      pump_login();
    } else {
      pump_all();
    }
  }
  pumping_ = false;
  if (!closed_) link_->flush();
}

void Connection::pump_login() {
  switch (login_->pump()) {
    case Login::Progress::waits: return;
    case Login::Progress::refused: return refuse(login_->refusal());
    case Login::Progress::done: break;
  }
  login_.reset();
  keep_alive();
  again_ = true;
  events_.opened();
}

void Connection::pump_all() {
  while (!closed_ && !turns_.empty() && turns_.front()()) turns_.pop_front();
  // A copy: ends are told from within, and may start or drop others.
  auto commands = commands_;
  for (const auto& command : commands) {
    if (!closed_) command->pump(*link_);
  }
  if (!closed_) accept_streams();
  auto streams = streams_;
  for (const auto& stream : streams) {
    if (!closed_) stream->pump(*link_);
  }
  if (!closed_) take_away();
}

void Connection::accept_streams() {
  for (const auto& [port, listener] : listeners_) {
    while (LIBSSH2_CHANNEL* channel = libssh2_channel_forward_accept(listener)) {
      std::weak_ptr<Connection> weak = weak_from_this();
      streams_.push_back(std::make_shared<TunnelStream>(executor_, channel, port, [weak] {
        if (auto self = weak.lock()) self->pump();
      }));
      streams_.back()->run();
    }
  }
}

void Connection::take_away() {
  std::size_t streams = streams_.size();
  auto collect = [this](auto& entry) {
    if (!entry->is_over()) return false;
    if (LIBSSH2_CHANNEL* channel = entry->release()) ending_.push_back(channel);
    return true;
  };
  commands_.remove_if(collect);
  streams_.remove_if(collect);
  auto is_freed = [](LIBSSH2_CHANNEL* channel) {
    return libssh2_channel_free(channel) != LIBSSH2_ERROR_EAGAIN;
  };
  ending_.erase(std::remove_if(ending_.begin(), ending_.end(), is_freed), ending_.end());
  if (streams_.size() < streams && events_.stream_ended) events_.stream_ended();
}

void Connection::start(std::shared_ptr<CommandChannel> command) {
  commands_.push_back(command);
  turns_.push_back([this, command] { return command->open(*link_); });
  pump();
}

// A channel that is just being opened for it goes to the next that asks for one.
void Connection::drop(CommandChannel& command) {
  command.drop();
  pump();
}

void Connection::listen(std::uint16_t port, std::function<void(bool)> answer) {
  turns_.push_back([this, port, answer = std::move(answer)] {
    // By "localhost" a server is content with either of 127.0.0.1 and ::1, and the
    // other may lead to somebody else.
    LIBSSH2_LISTENER* listener =
        libssh2_channel_forward_listen_ex(link_->session(), "127.0.0.1", port, nullptr, max_waiting_streams);
    if (listener == nullptr && link_->would_block()) return false;
    if (listener != nullptr) listeners_[port] = listener;
    answer(listener != nullptr);
    return true;
  });
  pump();
}

void Connection::stop_listening(std::uint16_t port) {
  auto found = listeners_.find(port);
  if (found == listeners_.end()) return;
  libssh2_channel_forward_cancel(found->second);
  listeners_.erase(found);
  pump();
}

// So that what watches the way (firewalls, address translators) sees something.
void Connection::keep_alive() {
  timer_.expires_after(std::chrono::seconds(15));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code failed) {
    auto self = weak.lock();
    if (failed || !self || self->closed_) return;
    int next = 0;
    libssh2_keepalive_send(self->link_->session(), &next);
    self->link_->flush();
    self->keep_alive();
  });
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  events_ = {};
  timer_.cancel();
  if (reach_) reach_->stop();
  for (const auto& stream : streams_) stream->stop();
  for (const auto& command : commands_) command->drop();
  if (link_) link_->close();
}

}  // namespace tenkai::ssh
