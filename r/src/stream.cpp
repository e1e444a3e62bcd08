#include "stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tenkai {

void set_payload_size(char* head, std::uint64_t size) {
  constexpr std::size_t field = 8;  // docs/protocol.md, the table of the header
  char* at = head + field;
  detail::put(at, size);
}

Stream::Stream(int fd, std::uint64_t limit) : fd_(fd), reader_(limit) {}

Stream::~Stream() { close(); }

void Stream::set_patience(int milliseconds) {
  timeval limit{milliseconds / 1000, (milliseconds % 1000) * 1000};
  // With a limit set, the kernel also lets any signal end the wait.
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

void Stream::send(const char* data, std::size_t size) {
  if (!is_open()) return;
  std::size_t sent = unsent_.empty() ? write_some(data, size) : 0;
  if (sent == size || ended_) return;
  unsent_.emplace_back(std::string_view(data + sent, size - sent));
}

void Stream::send(Bytes block) {
  if (!is_open()) return;
  bool first = unsent_.empty();
  std::size_t sent = first ? write_some(block.data(), block.size()) : 0;
  if (sent == block.size() || ended_) return;
  unsent_.push_back(std::move(block));
  if (first) sent_of_first_ = sent;
}

void Stream::send(const Frame& frame) {
  std::string bytes = encode_head(frame);
  bytes.append(view_of(frame.payload));
  send(bytes.data(), bytes.size());
}

void Stream::send_all(std::string head, const char* payload, std::size_t size) {
  if (!is_open()) return;
  set_payload_size(head.data(), size);
  iovec parts[2] = {{head.data(), head.size()}, {const_cast<char*>(payload), size}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  while (parts[0].iov_len + parts[1].iov_len > 0) {
    ssize_t put = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return;  // the end shows when it is read from
    std::size_t rest = static_cast<std::size_t>(put);
    for (iovec& part : parts) {
      std::size_t gone = std::min(rest, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + gone;
      part.iov_len -= gone;
      rest -= gone;
    }
  }
}

bool Stream::flush(int milliseconds) {
  if (!is_open()) return false;
  pollfd watched{fd_, static_cast<short>(has_unsent() ? POLLIN | POLLOUT : POLLIN), 0};
  if (poll(&watched, 1, milliseconds) <= 0) return false;
  if (watched.revents & POLLOUT) write_unsent();
  return (watched.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

void Stream::close() {
  if (fd_ < 0) return;
  ::close(fd_);
  fd_ = -1;
  unsent_.clear();
}

ssize_t Stream::read_into(char* data, std::size_t size, Wait wait) {
  ssize_t got = recv(fd_, data, size, wait == Wait::no ? MSG_DONTWAIT : 0);
  if (got > 0) return got;
  if (got == 0) {
    end("");
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    end(errno == ECONNRESET ? "" : std::strerror(errno));
  }
  return 0;
}

// How much the socket took. Asks once, except after a signal.
std::size_t Stream::write_some(const char* data, std::size_t size) {
  while (true) {
    ssize_t put = ::send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (errno == EINTR) continue;
    // A broken pipe is not the end yet: answers that were sent before the other
    // side closed may still lie there to be read. Nothing more goes out.
    if (errno == EPIPE || errno == ECONNRESET) return size;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) end(std::strerror(errno));
    return 0;
  }
}

void Stream::write_unsent() {
  while (!unsent_.empty() && !ended_) {
    const Bytes& first = unsent_.front();
    std::size_t rest = first.size() - sent_of_first_;
    std::size_t put = write_some(first.data() + sent_of_first_, rest);
    if (put < rest) {
      sent_of_first_ += put;
      return;
    }
    unsent_.pop_front();
    sent_of_first_ = 0;
  }
}

void Stream::end(std::string trouble) {
  ended_ = true;
  trouble_ = std::move(trouble);
  unsent_.clear();
}

}  // namespace tenkai
