// libssh2's state of one connection, and the bytes it exchanges.
//
// libssh2 does not get at the socket: what it sends goes into a buffer that takes
// everything, what it reads comes from one that Asio has filled. So sending never
// "would block", and that matters: a packet that libssh2 1.10 has sent in part makes
// every other call that sends fail (BAD_USE) until exactly that call is repeated, on
// whatever channel it was. EAGAIN then has one meaning: more must come in first.
#pragma once

#include <libssh2.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

namespace tenkai::ssh {

namespace asio = boost::asio;

class Link : public std::enable_shared_from_this<Link> {
 public:
  explicit Link(asio::ip::tcp::socket socket);
  ~Link();
  Link(const Link&) = delete;

  // From the event loop: on_bytes when bytes have come in or gone out, so that what
  // waits may go on; on_lost once, when the connection has ended.
  void run(std::function<void()> on_bytes, std::function<void(std::string)> on_lost);

  LIBSSH2_SESSION* session() { return session_; }
  int socket() { return socket_.native_handle(); }
  // Why the last call failed.
  std::string error() const;
  bool would_block() const { return libssh2_session_last_errno(session_) == LIBSSH2_ERROR_EAGAIN; }

  // Sends what the calls to libssh2 have left. After each round of them.
  void flush();
  // More must not be put in before some of it has gone out.
  bool is_full() const { return outbox_.size() + sending_.size() > 512 * 1024; }

  // Says farewell, and calls nobody any more.
  void close();

 private:
  void read();
  void send();
  void tell_bytes();
  void lose(const std::string& why);
  static ssize_t on_send(libssh2_socket_t, const void* data, std::size_t size, int, void** link);
  static ssize_t on_receive(libssh2_socket_t, void* data, std::size_t size, int, void** link);

  asio::ip::tcp::socket socket_;
  LIBSSH2_SESSION* session_;
  std::array<char, 65536> buffer_{};
  std::string inbox_;
  std::size_t taken_ = 0;  // of inbox_
  std::string outbox_;
  std::string sending_;
  bool ended_ = false;  // nothing comes in any more
  bool closing_ = false;
  std::function<void()> on_bytes_;
  std::function<void(std::string)> on_lost_;
};

}  // namespace tenkai::ssh
