#include "stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/error_code.h"
#include "base/shared_blocks.h"

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

// The payload, and what it shares with others, behind the head.
Bytes bytes_in_line(Frame whole) {
  whole.payload = with_blocks_behind(whole.payload);
  std::string head = encode_head(whole);
  Bytes bytes(head.size() + size_of(whole.payload));
  std::memcpy(bytes.data(), head.data(), head.size());
  std::memcpy(bytes.data() + head.size(), whole.payload->data(), size_of(whole.payload));
  return bytes;
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

void Stream::send(const Frame& frame) { send(encode_head(frame), view_of(frame.payload)); }

std::shared_ptr<const Bytes> Stream::send(const Frame& frame, Buffer& payload) {
  std::size_t size = payload.size();
  Bytes file = Bytes::of_file(payload.is_in_file() ? payload.seal() : -1);
  if (file.file() < 0 && payload.shared().empty()) {
    std::string head = encode_head(frame);
    set_payload_size(head, size);
    send(head, payload.view());
    return nullptr;
  }
  Frame whole = frame;
  bool is_file = file.file() >= 0;
  if (is_file) file.set_own_size(size);
  auto own = std::make_shared<const Bytes>(is_file ? std::move(file) : Bytes(payload.view()));
  whole.payload = own;
  if (!payload.shared().empty())
    whole.payload = std::make_shared<const Bytes>(Bytes::with_blocks(own, payload.shared()));
  send_with_files(std::move(whole));
  return is_file ? own : nullptr;
}

void Stream::send(std::string_view head, std::string_view payload) {
  std::size_t sent = is_open() && unsent_.empty() ? write_some(head, payload, {}) : 0;
  if (sent == head.size() + payload.size() || !is_open()) return;
  std::string rest;
  if (sent < head.size()) rest.append(head.substr(sent));
  rest.append(payload.substr(sent > head.size() ? sent - head.size() : 0));
  unsent_.push_back({Bytes(rest), std::nullopt});
}

void Stream::send_with_files(Frame whole) {
  if (!is_open()) return;
  bool is_file = file_of(whole.payload) >= 0;
  Frame told = whole;
  if (has_shared_blocks(whole.payload))
    told.with(Key::blocks, BlockList::of(whole.payload->blocks()).bytes());
  std::string bytes = encode_head(told, is_file ? in_file : in_line);
  if (!is_file) bytes += view_of(whole.payload);
  unsent_.push_back({Bytes(bytes), std::move(whole)});
  write_unsent();
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
std::size_t Stream::write_some(std::string_view first, std::string_view second,
                               const std::vector<int>& files) {
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                    {const_cast<char*>(second.data()), second.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (1 + max_shared_files))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = second.empty() ? 1 : 2;
  if (!files.empty()) {
    std::size_t size = files.size() * sizeof(int);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(part), files.data(), size);
  }
  while (true) {
    ssize_t put = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (errno == EINTR) continue;
    // A broken pipe is not the end yet: answers that were sent before the other
    // side closed may still lie there to be read. Nothing more goes out.
    if (errno == EPIPE || errno == ECONNRESET) return first.size() + second.size();
    // The kernel has as many files of this user under way as it allows.
    if (errno == ETOOMANYREFS && !files.empty()) {
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
    std::vector<int> files;
    if (next.whole && !passes_no_file_) files = descriptors_of(next.whole->payload);
    if (next.whole && files.empty()) {
      next.bytes = bytes_in_line(std::move(*next.whole));
      next.whole.reset();
    }
    passes_no_file_ = false;
    std::string_view rest = next.bytes.view().substr(sent_of_first_);
    std::size_t put = write_some(rest, {}, files);
    if (passes_no_file_) continue;
    if (put > 0) next.whole.reset();
    if (put < rest.size()) {
      sent_of_first_ += put;
      return;
    }
    unsent_.pop_front();
    sent_of_first_ = 0;
  }
}

void Stream::forget_unsent() {
  unsent_.clear();
  sent_of_first_ = 0;
}

void Stream::end(std::string trouble) {
  ended_ = true;
  trouble_ = std::move(trouble);
  forget_unsent();
}

}  // namespace tenkai
