#include "stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/error_code.h"

namespace tenkai {

namespace {

// Says in an encoded head how long its payload turned out to be.
void set_payload_size(std::string& head, std::uint64_t size) {
  constexpr std::size_t field = 8;  // docs/protocol.md, the table of the header
  char* at = head.data() + field;
  detail::put(at, size);
}

constexpr std::size_t max_descriptors = 16;  // in one read

// Half of what R may have open at all, or less: it may use select(). None, where a file
// that has come took the last descriptor.
void bound_files(bool is_one_free) {
  rlimit limit{};
  bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0;
  if (known) Bytes::end_of_files = static_cast<int>(std::min<rlim_t>(128, limit.rlim_cur / 2));
  if (!is_one_free) Bytes::end_of_files = 0;
}

// The content of a file behind the head that names it, which says so from now on.
Bytes in_line_with(std::string head, int file) {
  put_in_line(head);
  struct stat found {};
  if (fstat(file, &found) != 0) throw std::runtime_error(std::strerror(errno));
  Bytes whole(head.size() + static_cast<std::size_t>(found.st_size));
  std::memcpy(whole.data(), head.data(), head.size());
  for (std::size_t at = head.size(); at < whole.size();) {
    auto from = static_cast<off_t>(at - head.size());
    ssize_t got = pread(file, whole.data() + at, whole.size() - at, from);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::runtime_error("cannot read a value from its memory file");
    at += static_cast<std::size_t>(got);
  }
  return whole;
}

}  // namespace

FreeDescriptor::FreeDescriptor() {
  if (depth++ > 0 || spare < 0) return;
  ::close(std::exchange(spare, -1));
}

FreeDescriptor::~FreeDescriptor() {
  if (--depth == 0) take_spare();
}

bool FreeDescriptor::take_spare() {
  if (null < 0) null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (spare < 0) spare = fcntl(null, F_DUPFD_CLOEXEC, 0);
  return spare >= 0;
}

Stream::Stream(int fd, std::uint64_t limit) : fd_(fd), reader_(limit) {
  bound_files(FreeDescriptor::take_spare());
}

Stream::~Stream() { close(); }

void Stream::send(const Frame& frame) { send(encode_head(frame), view_of(frame.payload), -1); }

void Stream::send(const Frame& frame, Buffer& payload) {
  std::size_t size = payload.size();
  int file = payload.is_in_file() ? payload.seal() : -1;
  std::string head = encode_head(frame, file >= 0 ? in_file : in_line);
  set_payload_size(head, size);
  send(head, file >= 0 ? std::string_view() : payload.view(), file);
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

// A recvmsg() that sleeps is woken when the other side reads what we have sent, for nothing: a
// process is woken twice for each task. poll() sleeps until there is something to read.
ssize_t Stream::read_into(char* data, std::size_t size, Wait wait) {
  pollfd watched{fd_, POLLIN, 0};
  if (wait == Wait::yes && poll(&watched, 1, patience_) <= 0) return 0;
  iovec room{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)];
  msghdr message{};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = recvmsg(fd_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (got > 0) {
    if (message.msg_controllen > 0) {
      take_descriptors(message);
      bound_files(FreeDescriptor::take_spare());
    }
    if ((message.msg_flags & MSG_CTRUNC) == 0) return got;
    end(text_of(Code::out_of_files) + ": a file with a value was lost; raise the limit (ulimit -n)");
    return 0;
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
    // The kernel has as many files of this user under way as it allows.
    if (errno == ETOOMANYREFS && file >= 0) {
      passes_no_file_ = true;
      return 0;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) end(std::strerror(errno));
    return 0;
  }
}

void Stream::write_unsent() {
  while (!unsent_.empty() && !ended_) {
    Unsent& next = unsent_.front();
    if (next.file >= 0 && std::exchange(passes_no_file_, false)) {
      next.bytes = in_line_with(std::string(next.bytes.view()), next.file);
      ::close(std::exchange(next.file, -1));
    }
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
