// Frames over a socket to another process of this machine: unix, or an inherited socketpair.
//
// Reads ask the kernel again only when the last one filled the room it was given.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "base/shared_blocks.h"
#include "wire/local_poller.h"
#include "wire/local_socket.h"
#include "wire/socket_connection.h"

namespace tenkai {
namespace {

// In one read. Frames with files are sent one at a time, so more cannot come.
constexpr std::size_t max_descriptors = 8;
static_assert(max_descriptors > max_shared_files);
// Reads in a row: a busy peer must not keep the others waiting.
constexpr int most_reads = 16;

boost::system::error_code last_error() {
  return boost::system::error_code(errno, boost::system::system_category());
}

class LocalConnection final : public SocketConnection, public LocalPoller::Watcher {
 public:
  LocalConnection(asio::any_io_executor executor, int descriptor, Peer peer)
      : SocketConnection(std::move(peer), false), executor_(std::move(executor)), descriptor_(descriptor) {}

 private:
  // `all`: as far as can be told from what came.
  enum class Read { all, more, nothing };

  asio::any_io_executor executor() override { return executor_; }
  int descriptor() override { return descriptor_.get(); }

  void read() override { watch(events_ | EPOLLIN | EPOLLRDHUP); }
  void wait_to_write() override { watch(events_ | EPOLLOUT); }

  void watch(std::uint32_t events) {
    std::shared_ptr<Watcher> self = std::static_pointer_cast<LocalConnection>(shared_from_this());
    if (!LocalPoller::of(executor_).watch(executor_, descriptor_.get(), self, events))
      return on_failed(last_error());
    events_ = events;
  }

  void on_ready(std::uint32_t events) override {
    auto self = shared_from_this();
    if ((events & EPOLLOUT) != 0 && (events_ & EPOLLOUT) != 0) {
      watch(events_ & ~EPOLLOUT);
      if (is_open()) write();
    }
    if ((events & ~EPOLLOUT) == 0 || (events_ & EPOLLIN) == 0) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) is_closed_ = true;
    if (!reads_on_) read_what_there_is();
  }

  void read_what_there_is() {
    for (int turn = 0; turn < most_reads; ++turn) {
      if (!is_open()) return;
      Read read = read_once();
      if (read == Read::nothing || (read == Read::all && !is_closed_)) return;
    }
    // It goes on once, whatever is told meanwhile: else one that writes all the time would get
    // an ever larger share.
    reads_on_ = true;
    asio::post(executor_, [this, self = shared_from_this()] {
      reads_on_ = false;
      read_what_there_is();
    });
  }

  // Asio's own reads would lose the descriptors that come along.
  Read read_once() {
    FrameReader::Room room = reader().room();
    iovec piece{room.data, room.size};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)];
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    // A stranger's descriptors are closed by the kernel.
    message.msg_controllen = knows_peer() ? sizeof control : 0;
    ssize_t size = ::recvmsg(descriptor_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) return Read::more;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      rest();
      return Read::nothing;
    }
    if (size <= 0) {
      on_failed(size == 0 ? asio::error::make_error_code(asio::error::eof) : last_error());
      return Read::nothing;
    }
    take_descriptors(message);
    if (knows_peer() && (message.msg_flags & MSG_CTRUNC) != 0) {
      ended(false,
            text_of(Code::out_of_files) + ": a file with a payload was lost; raise the limit (ulimit -n)",
            Code::out_of_files);
      return Read::nothing;
    }
    // The kernel ends a read where a descriptor is, whatever comes behind it.
    bool is_cut = message.msg_controllen > 0 || (message.msg_flags & MSG_CTRUNC) != 0;
    bool is_all = static_cast<std::size_t>(size) < room.size && !is_cut;
    if (!received(static_cast<std::size_t>(size))) return Read::nothing;
    rest();
    return is_all ? Read::all : Read::more;
  }

  void take_descriptors(msghdr& message) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
      for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
        int descriptor = -1;
        std::memcpy(&descriptor, reinterpret_cast<char*>(part) + at, sizeof descriptor);
        reader().push_descriptor(descriptor);
      }
    }
  }

  void shut() override {
    LocalPoller::of(executor_).remove(descriptor_.get(), *this);
    descriptor_ = Descriptor();
  }

  asio::any_io_executor executor_;
  Descriptor descriptor_;
  std::uint32_t events_ = 0;  // that are watched
  bool is_closed_ = false;    // by the other end, which is not told again: there is an end to read to
  bool reads_on_ = false;     // in the next turn, without being told
};

}  // namespace

ConnectionPtr make_local_connection(asio::any_io_executor executor, int descriptor, Peer peer) {
  return std::make_shared<LocalConnection>(std::move(executor), descriptor, std::move(peer));
}

ConnectionPtr adopt_socket(asio::any_io_executor executor, int descriptor, std::string name) {
  Peer peer;
  // Who made the pair; that is this process itself where it is passed on to a child.
  if (Result<Peer> maker = local_peer(descriptor); maker && maker->pid != ::getpid())
    peer = std::move(*maker);
  peer.address = std::move(name);
  return make_local_connection(std::move(executor), descriptor, std::move(peer));
}

}  // namespace tenkai
