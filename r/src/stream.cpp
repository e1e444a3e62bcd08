#include "stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace tenkai {

namespace {

// Says in an encoded head how long its payload turned out to be.
void set_payload_size(std::string& head, std::uint64_t size) {
  constexpr std::size_t field = 8;  // docs/protocol.md, the table of the header
  char* at = head.data() + field;
  detail::put(at, size);
}

constexpr std::size_t max_descriptors = 16;  // in one read

}  // namespace

Stream::Stream(int fd, std::uint64_t limit) : fd_(fd), reader_(limit) {}

Stream::~Stream() { close(); }

void Stream::set_patience(int milliseconds) {
  timeval limit{milliseconds / 1000, (milliseconds % 1000) * 1000};
  // With a limit set, the kernel also lets any signal end the wait.
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

void Stream::send(const Frame& frame) { send(encode_head(frame), view_of(frame.payload), -1); }

void Stream::send(const Frame& frame, Buffer& payload) {
  bool in_a_file = payload.is_in_file();
  std::string head = encode_head(frame, in_a_file ? in_file : in_line);
  set_payload_size(head, payload.size());
  if (!in_a_file) return send(head, payload.view(), -1);
  int file = -1;
  std::string trouble = payload.seal(file);
  if (!trouble.empty()) throw std::runtime_error("cannot write a value to a memory file: " + trouble);
  send(head, {}, file);
}

// Takes the descriptor over.
void Stream::send(std::string_view head, std::string_view payload, int file) {
  std::size_t sent = is_open() && unsent_.empty() ? write_some(head, payload, file) : 0;
  bool all = sent == head.size() + payload.size();
  if (sent > 0 || !is_open()) {
    if (file >= 0) ::close(file);
    file = -1;
  }
  if (all || !is_open()) return;
  std::string rest;
  if (sent < head.size()) rest.append(head.substr(sent));
  rest.append(payload.substr(sent > head.size() ? sent - head.size() : 0));
  unsent_.push_back({Bytes(rest), file});
}

void Stream::flush_all() {
  while (has_unsent() && is_open()) {
    pollfd watched{fd_, POLLOUT, 0};
    if (poll(&watched, 1, -1) <= 0) continue;
    write_unsent();
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
  forget_unsent();
}

ssize_t Stream::read_into(char* data, std::size_t size, Wait wait) {
  iovec room{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)];
  msghdr message{};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = recvmsg(fd_, &message, MSG_CMSG_CLOEXEC | (wait == Wait::no ? MSG_DONTWAIT : 0));
  if (got > 0) {
    if (message.msg_controllen > 0) take_descriptors(message);
    return got;
  }
  if (got == 0) {
    end("");
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    end(errno == ECONNRESET ? "" : std::strerror(errno));
  }
  return 0;
}

void Stream::take_descriptors(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
      int descriptor = -1;
      std::memcpy(&descriptor, reinterpret_cast<char*>(part) + at, sizeof descriptor);
      reader_.push_descriptor(descriptor);
    }
  }
}

// How much the socket took. Asks once, except after a signal.
std::size_t Stream::write_some(std::string_view first, std::string_view second, int file) {
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                    {const_cast<char*>(second.data()), second.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = second.empty() ? 1 : 2;
  if (file >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &file, sizeof file);
  }
  while (true) {
    ssize_t put = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (errno == EINTR) continue;
    // A broken pipe is not the end yet: answers that were sent before the other
    // side closed may still lie there to be read. Nothing more goes out.
    if (errno == EPIPE || errno == ECONNRESET) return first.size() + second.size();
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) end(std::strerror(errno));
    return 0;
  }
}

void Stream::write_unsent() {
  while (!unsent_.empty() && !ended_) {
    Unsent& next = unsent_.front();
    std::string_view rest = next.bytes.view().substr(sent_of_first_);
    std::size_t put = write_some(rest, {}, next.file);
    if (put > 0 && next.file >= 0) {
      ::close(next.file);
      next.file = -1;
    }
    if (put < rest.size()) {
      sent_of_first_ += put;
      return;
    }
    unsent_.pop_front();
    sent_of_first_ = 0;
  }
}

void Stream::forget_unsent() {
  for (Unsent& each : unsent_) {
    if (each.file >= 0) ::close(each.file);
  }
  unsent_.clear();
  sent_of_first_ = 0;
}

void Stream::end(std::string trouble) {
  ended_ = true;
  trouble_ = std::move(trouble);
  forget_unsent();
}

}  // namespace tenkai
