// Frames over a plain socket: unix, tcp, or an inherited socketpair.
//
// Reads ask the kernel again only when the last one filled the room it was given;
// writes are tried at once, with one sendmsg() for head and payload, and wait for
// the socket only when it is full. A small frame goes out from the stack: with a
// thousand connections, each block of memory that need not be touched counts. On one machine large payloads
// are memory files whose descriptors go along, and neither end copies them.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "wire/connection.h"
#include "wire/local_socket.h"

namespace tenkai {
namespace {

constexpr std::size_t pieces_per_write = 128;
constexpr std::size_t bytes_per_write = 4 * 1024 * 1024;
// The most bytes of the head, and of the payload, of a frame that goes out from the stack.
constexpr std::size_t largest_at_once = 4096;
// In one read. Frames with files are sent one at a time, so more cannot come.
constexpr std::size_t max_descriptors = 8;

class SocketConnection final : public Connection {
 public:
  SocketConnection(asio::generic::stream_protocol::socket socket, Peer peer, bool segmented)
      : Connection(std::move(peer), segmented), socket_(std::move(socket)) {}

 private:
  asio::any_io_executor executor() override { return socket_.get_executor(); }

  void read() override {
    if (peer().network) return read_from_network();
    // Asio's own reads would lose the descriptors that come along.
    socket_.async_wait(asio::socket_base::wait_read,
                       [this, self = shared_from_this()](boost::system::error_code failed) {
                         if (!is_open()) return;
                         if (failed) return on_failed(failed);
                         if (read_with_descriptors()) read();
                       });
  }

  void read_from_network() {
    FrameReader::Room room = reader().room();
    socket_.async_read_some(
        asio::buffer(room.data, room.size),
        [this, self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
          if (!is_open()) return;
          if (failed) return on_failed(failed);
          if (received(size)) read_from_network();
        });
  }

  // Reads what there is. False when the connection has come to its end.
  bool read_with_descriptors() {
    // A busy peer must not keep the others waiting.
    for (int turn = 0; turn < 16; ++turn) {
      FrameReader::Room room = reader().room();
      iovec piece{room.data, room.size};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)];
      msghdr message{};
      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      message.msg_control = control;
      // A stranger's descriptors are closed by the kernel.
      message.msg_controllen = knows_peer() ? sizeof control : 0;
      ssize_t size = ::recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
      if (size <= 0) {
        on_failed(size == 0 ? asio::error::make_error_code(asio::error::eof)
                            : boost::system::error_code(errno, boost::system::system_category()));
        return false;
      }
      take_descriptors(message);
      if (knows_peer() && (message.msg_flags & MSG_CTRUNC) != 0) {
        ended(false,
              text_of(Code::out_of_files) + ": a file with a payload was lost; raise the limit (ulimit -n)",
              Code::out_of_files);
        return false;
      }
      if (!received(static_cast<std::size_t>(size))) return false;
      rest();
      if (static_cast<std::size_t>(size) < room.size) return true;
    }
    return true;
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

  void on_failed(const boost::system::error_code& failed) {
    // On one machine one that closes without having read all resets the connection.
    bool hung_up = failed == asio::error::connection_reset || failed == asio::error::broken_pipe;
    bool closed = failed == asio::error::eof || (!peer().network && hung_up);
    if (closed) return ended(true, "the other end closed the connection");
    Connection::failed(failed);
  }

  void write() override {
    while (!outbox().empty()) {
      iovec pieces[pieces_per_write];
      msghdr message{};
      int file = -1;
      message.msg_iov = pieces;
      message.msg_iovlen = outbox().gather(pieces, pieces_per_write, bytes_per_write, file);
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
      if (file >= 0) attach(message, control, sizeof control, file);
      ssize_t written = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (written < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return wait_to_write();
        // The kernel has as many files of this user under way as it allows.
        if (errno == ETOOMANYREFS && file >= 0 && puts_file_in_line()) continue;
        return on_failed(boost::system::error_code(errno, boost::system::system_category()));
      }
      outbox().consumed(static_cast<std::size_t>(written));
    }
    flushed();
  }

  bool puts_file_in_line() {
    try {
      outbox().put_file_in_line();
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  bool write_at_once(const Frame& frame) override {
    std::size_t size = head_size(frame);
    char head[largest_at_once];
    if (size > sizeof head || size_of(frame.payload) > largest_at_once) return false;
    put_head(head, frame);
    std::string_view payload = view_of(frame.payload);
    iovec pieces[2] = {{head, size}, {const_cast<char*>(payload.data()), payload.size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = payload.empty() ? 1 : 2;
    ssize_t written = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0) return false;  // write() will meet the same reason
    if (static_cast<std::size_t>(written) == size + payload.size()) return true;
    outbox().push(frame);
    outbox().consumed(static_cast<std::size_t>(written));
    wait_to_write();
    return true;
  }

  static void attach(msghdr& message, char* control, std::size_t size, int file) {
    message.msg_control = control;
    message.msg_controllen = size;
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &file, sizeof file);
  }

  void wait_to_write() {
    socket_.async_wait(asio::socket_base::wait_write,
                       [this, self = shared_from_this()](boost::system::error_code failed) {
                         if (!is_open()) return;
                         if (failed) return on_failed(failed);
                         write();
                       });
  }

  void shut() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  asio::generic::stream_protocol::socket socket_;
};

}  // namespace

ConnectionPtr make_socket_connection(asio::generic::stream_protocol::socket socket, Peer peer) {
  bool network = peer.network;
  return std::make_shared<SocketConnection>(std::move(socket), std::move(peer), network);
}

ConnectionPtr adopt_socket(asio::any_io_executor executor, int descriptor, std::string name) {
  asio::local::stream_protocol::socket socket(executor, asio::local::stream_protocol(), descriptor);
  Peer peer;
  // Who made the pair; that is this process itself where it is passed on to a child.
  if (Result<Peer> maker = local_peer(descriptor); maker && maker->pid != ::getpid())
    peer = std::move(*maker);
  peer.address = std::move(name);
  return make_socket_connection(std::move(socket), std::move(peer));
}

}  // namespace tenkai
