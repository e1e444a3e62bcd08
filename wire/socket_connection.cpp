#include "wire/socket_connection.h"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace tenkai {
namespace {

constexpr std::size_t pieces_per_write = 128;
constexpr std::size_t bytes_per_write = 4 * 1024 * 1024;
// The most bytes of the head, and of the payload, of a frame that goes out from the stack.
constexpr std::size_t largest_at_once = 4096;

constexpr std::size_t most_files = 1 + max_shared_files;

void attach(msghdr& message, char* control, const PassedFiles& files) {
  std::size_t size = sizeof(int) * static_cast<std::size_t>(files.count);
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(part), files.descriptors, size);
}

// Over TCP.
class NetworkConnection final : public SocketConnection {
 public:
  NetworkConnection(asio::generic::stream_protocol::socket socket, Peer peer)
      : SocketConnection(std::move(peer), true), socket_(std::move(socket)) {}

 private:
  asio::any_io_executor executor() override { return socket_.get_executor(); }
  int descriptor() override { return socket_.native_handle(); }

  void read() override {
    FrameReader::Room room = reader().room();
    socket_.async_read_some(
        asio::buffer(room.data, room.size),
        [this, self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
          if (!is_open()) return;
          if (failed) return on_failed(failed);
          if (received(size)) read();
        });
  }

  void wait_to_write() override {
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

void SocketConnection::on_failed(const boost::system::error_code& failed) {
  // On one machine one that closes without having read all resets the connection.
  bool hung_up = failed == asio::error::connection_reset || failed == asio::error::broken_pipe;
  bool closed = failed == asio::error::eof || (!peer().network && hung_up);
  if (closed) return ended(true, "the other end closed the connection");
  Connection::failed(failed);
}

void SocketConnection::write() {
  while (!outbox().empty()) {
    iovec pieces[pieces_per_write];
    msghdr message{};
    PassedFiles files;
    message.msg_iov = pieces;
    message.msg_iovlen = outbox().gather(pieces, pieces_per_write, bytes_per_write, files);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_files)] = {};
    if (files.count > 0) attach(message, control, files);
    ssize_t written = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait_to_write();
      // The kernel has as many files of this user under way as it allows.
      if (errno == ETOOMANYREFS && files.count > 0 && puts_files_in_line()) continue;
      return on_failed(boost::system::error_code(errno, boost::system::system_category()));
    }
    outbox().consumed(static_cast<std::size_t>(written));
  }
  flushed();
}

bool SocketConnection::puts_files_in_line() {
  try {
    outbox().put_files_in_line();
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

bool SocketConnection::write_at_once(const Frame& frame) {
  std::size_t size = head_size(frame);
  char head[largest_at_once];
  if (size > sizeof head || size_of(frame.payload) > largest_at_once) return false;
  if (has_shared_blocks(frame.payload)) return false;
  put_head(head, frame);
  std::string_view payload = view_of(frame.payload);
  iovec pieces[2] = {{head, size}, {const_cast<char*>(payload.data()), payload.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = payload.empty() ? 1 : 2;
  ssize_t written = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written < 0) return false;  // write() will meet the same reason
  if (static_cast<std::size_t>(written) == size + payload.size()) return true;
  outbox().push(frame);
  outbox().consumed(static_cast<std::size_t>(written));
  wait_to_write();
  return true;
}

ConnectionPtr make_socket_connection(asio::generic::stream_protocol::socket socket, Peer peer) {
  if (peer.network) return std::make_shared<NetworkConnection>(std::move(socket), std::move(peer));
  asio::any_io_executor executor = socket.get_executor();
  return make_local_connection(std::move(executor), socket.release(), std::move(peer));
}

}  // namespace tenkai
