#include "plugins/ssh/libssh2/reach.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "launcher/plugin/client_failure.h"
#include "plugins/ssh/remote.h"

namespace tenkai::ssh {

using asio::ip::tcp;

namespace {

// A peer that has gone is noticed by the kernel, also while nothing is sent.
void watch(tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  int idle = 15, interval = 5, count = 3;
  unsigned int unanswered_ms = 30'000;
  int fd = socket.native_handle();
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

}  // namespace

Reach::Reach(asio::any_io_executor executor, std::string host, std::uint16_t port, std::chrono::seconds limit)
    : resolver_(executor),
      socket_(executor),
      timer_(executor),
      host_(std::move(host)),
      port_(port),
      limit_(limit) {}

void Reach::run(OnEnd on_end) {
  on_end_ = std::move(on_end);
  until_ = std::chrono::steady_clock::now() + limit_;
  boost::system::error_code no_address;
  asio::ip::address address = asio::ip::make_address(host_, no_address);
  if (!no_address) return on_addresses({{address, port_}});
  timer_.expires_at(until_);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (!failed)
      self->end(std::nullopt,
                {cause::unknown_host, sentence::unknown_host(self->host_, "no name server has answered")});
  });
  resolver_.async_resolve(
      host_, std::to_string(port_), asio::ip::resolver_base::numeric_service,
      [self = shared_from_this()](boost::system::error_code failed, tcp::resolver::results_type found) {
        if (!self->on_end_) return;
        if (failed) {
          return self->end(std::nullopt,
                           {cause::unknown_host, sentence::unknown_host(self->host_, failed.message())});
        }
        std::vector<tcp::endpoint> addresses;
        for (const auto& each : found) addresses.push_back(each.endpoint());
        self->on_addresses(std::move(addresses));
      });
}

void Reach::on_addresses(std::vector<tcp::endpoint> addresses) {
  addresses_ = std::move(addresses);
  try_next();
}

void Reach::try_next() {
  std::string where = to_string(Remote{{}, host_, port_});
  if (next_ == addresses_.size()) {
    std::string message = silent_ ? sentence::no_answer(where, limit_) : sentence::unreachable(where, why_);
    return end(std::nullopt, {cause::unreachable, message});
  }
  std::size_t attempt = next_++;
  auto left = until_ - std::chrono::steady_clock::now();
  timer_.expires_after(left / static_cast<long>(addresses_.size() - attempt));
  timer_.async_wait([self = shared_from_this(), attempt](boost::system::error_code failed) {
    if (failed || self->next_ != attempt + 1 || !self->on_end_) return;
    self->silent_ = true;
    boost::system::error_code ignored;
    self->socket_.close(ignored);
  });
  boost::system::error_code ignored;
  socket_.close(ignored);
  socket_.async_connect(addresses_[attempt], [self = shared_from_this()](boost::system::error_code failed) {
    if (!self->on_end_) return;
    if (failed) {
      if (self->why_.empty()) self->why_ = failed.message();
      if (failed == asio::error::timed_out) self->silent_ = true;
      return self->try_next();
    }
    watch(self->socket_);
    self->end(std::move(self->socket_), {});
  });
}

void Reach::end(std::optional<Socket> socket, Failure failure) {
  timer_.cancel();
  OnEnd on_end = std::exchange(on_end_, nullptr);
  resolver_.cancel();
  if (on_end) on_end(std::move(socket), std::move(failure));
}

void Reach::stop() {
  on_end_ = nullptr;
  timer_.cancel();
  resolver_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace tenkai::ssh
