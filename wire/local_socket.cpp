#include "wire/local_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>
#include <string>

namespace tenkai {

Result<asio::local::stream_protocol::endpoint> local_endpoint(const Url& url) {
  std::string name = url.scheme == Url::Scheme::ipc ? url.path : std::string(1, '\0') + url.path;
  try {
    return asio::local::stream_protocol::endpoint(name);
  } catch (const boost::system::system_error&) {
    return Error{"no socket can have the name " + to_string(url) + ": it is too long; choose a shorter one"};
  }
}

boost::system::error_code connect_at_once(asio::local::stream_protocol::socket& socket, const Url& url) {
  boost::system::error_code failed;
  socket.open(asio::local::stream_protocol(), failed);
  if (!failed) socket.non_blocking(true, failed);
  if (failed) return failed;
  auto endpoint = local_endpoint(url);
  if (!endpoint) return boost::system::errc::make_error_code(boost::system::errc::filename_too_long);
  int result = 0;
  do result = ::connect(socket.native_handle(), endpoint->data(), static_cast<socklen_t>(endpoint->size()));
  while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  return boost::system::error_code(errno, boost::system::system_category());
}

Result<Peer> local_peer(int descriptor) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    return Error{std::string("cannot ask who is at the other end: ") + std::strerror(errno)};
  }
  if (who.uid != ::geteuid()) return Error{"refused uid " + std::to_string(who.uid)};
  Peer peer;
  peer.address = "pid " + std::to_string(who.pid);
  // 0: it lives in another namespace of process ids, and has none that we could use.
  if (who.pid > 0) peer.pid = who.pid;
  peer.uid = who.uid;
  return peer;
}

void tune_network_socket(int descriptor) {
  auto set = [descriptor](int level, int name, int value) {
    // A kernel without one of these works too, only less well.
    (void)::setsockopt(descriptor, level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 6);
  // What has been sent and not been acknowledged for so long was sent to nobody.
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 20000);
}

}  // namespace tenkai
