#include "wire/local_poller.h"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <utility>

namespace tenkai {

LocalPoller& LocalPoller::of(const asio::any_io_executor& executor) {
  return asio::use_service<LocalPoller>(asio::query(executor, asio::execution::context));
}

bool LocalPoller::open(const asio::any_io_executor& executor) {
  if (epoll_) return true;
  int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) return false;
  epoll_.emplace(executor, descriptor);
  return true;
}

bool LocalPoller::watch(const asio::any_io_executor& executor, int descriptor,
                        const std::shared_ptr<Watcher>& watcher, std::uint32_t events) {
  if (!open(executor)) return false;
  bool known = watchers_.contains(watcher.get());
  epoll_event wanted{};
  wanted.events = events | EPOLLET;
  wanted.data.ptr = watcher.get();
  int order = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (::epoll_ctl(epoll_->native_handle(), order, descriptor, &wanted) != 0) return false;
  if (!known) watchers_.emplace(watcher.get(), watcher);
  if (!waits_ && count_ == 0) wait();
  return true;
}

void LocalPoller::remove(int descriptor, Watcher& watcher) {
  auto found = watchers_.find(&watcher);
  if (found == watchers_.end()) return;
  ::epoll_ctl(epoll_->native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
  for (int i = 0; i < count_; ++i) {
    epoll_event& each = ready_[static_cast<std::size_t>(i)];
    if (each.data.ptr == &watcher) each.data.ptr = nullptr;
  }
  std::shared_ptr<Watcher> last = std::move(found->second);
  watchers_.erase(found);
  // An io_context has no more to do when nobody is watched.
  if (watchers_.empty() && waits_) epoll_->cancel();
}

void LocalPoller::wait() {
  waits_ = true;
  epoll_->async_wait(asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code failed) {
    waits_ = false;
    if (!failed) tell_those_that_are_ready();
    if (!watchers_.empty() && !waits_) wait();
  });
}

void LocalPoller::tell_those_that_are_ready() {
  count_ = ::epoll_wait(epoll_->native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
  for (int i = 0; i < count_; ++i) {
    const epoll_event& each = ready_[static_cast<std::size_t>(i)];
    if (each.data.ptr != nullptr) static_cast<Watcher*>(each.data.ptr)->on_ready(each.events);
  }
  count_ = 0;
}

void LocalPoller::shutdown() {
  epoll_.reset();
  watchers_.clear();
}

}  // namespace tenkai
