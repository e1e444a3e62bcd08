// Waits for the sockets of one machine, all of them at once.
//
// Asio tells the kernel anew what it waits for each time it waits, and keeps a queue and a
// lock for each socket. With a thousand daemons that was a quarter of what a task costs the
// dispatcher. These sockets are in an epoll of their own instead, told of once, and Asio
// waits for that. A turn then costs two system calls more, shared by all that are ready.
//
// There is one for each io_context. All calls belong on its thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <optional>

namespace tenkai {

namespace asio = boost::asio;

class LocalPoller : public asio::execution_context::service {
 public:
  class Watcher {
   public:
    virtual ~Watcher() = default;
    // EPOLLIN and so on. Told once for what has come: read until there is nothing more.
    virtual void on_ready(std::uint32_t events) = 0;
  };

  using key_type = LocalPoller;
  static inline asio::execution_context::id id;

  explicit LocalPoller(asio::execution_context& context) : asio::execution_context::service(context) {}

  static LocalPoller& of(const asio::any_io_executor& executor);

  // Keeps `watcher` until it is removed. Called again it changes the events. False: the
  // kernel has no room for another; errno says why.
  bool watch(const asio::any_io_executor& executor, int descriptor, const std::shared_ptr<Watcher>& watcher,
             std::uint32_t events);
  // Before the descriptor is closed. It may be called by a watcher that is being told.
  void remove(int descriptor, Watcher& watcher);

 private:
  void shutdown() override;
  bool open(const asio::any_io_executor& executor);
  void wait();
  void tell_those_that_are_ready();

  std::optional<asio::posix::stream_descriptor> epoll_;
  boost::unordered_flat_map<Watcher*, std::shared_ptr<Watcher>> watchers_;
  bool waits_ = false;
  std::array<epoll_event, 128> ready_;
  int count_ = 0;  // of those in ready_ that are being told
};

}  // namespace tenkai
