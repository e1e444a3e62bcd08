#include "dial.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "base/error_code.h"

namespace tenkai {

namespace {

[[noreturn]] void fail(Code code, const std::string& url, const std::string& why) {
  throw std::runtime_error(text_of(code) + ": " + url + ": " + why);
}

bool starts_with(const std::string& text, const char* beginning) {
  return text.compare(0, std::strlen(beginning), beginning) == 0;
}

int given_descriptor(const std::string& url) {
  char* end = nullptr;
  long number = std::strtol(url.c_str() + 3, &end, 10);
  if (*end != '\0' || end == url.c_str() + 3 || number < 0 || number > 1 << 20) {
    fail(Code::invalid_argument, url, "after fd: comes the number of an open descriptor");
  }
  int fd = static_cast<int>(number);
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    fail(Code::address_invalid, url, std::strerror(errno));
  // What the tasks start must not hold our stream open.
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

Code code_for(int number) {
  switch (number) {
    case EACCES:
    case EPERM: return Code::permission_denied;
    case ETIMEDOUT: return Code::timed_out;
    default: return Code::unreachable;
  }
}

// Whoever listens may hand us any code to run, so it must be us.
void check_owner(int fd, const std::string& url) {
  ucred peer{};
  socklen_t size = sizeof peer;
  bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  if (known && peer.uid == geteuid()) return;
  close(fd);
  fail(Code::peer_unknown, url, "it belongs to user id " + std::to_string(peer.uid));
}

void nap(long milliseconds) {
  timespec time{0, milliseconds * 1000 * 1000};
  nanosleep(&time, nullptr);
}

// Decided at once, unless as many wait there already as may; then a blocking connect()
// would wait for as long as whoever has the name pleases.
int connect_within(int fd, const sockaddr_un& address, socklen_t length) {
  constexpr int tries = 500;
  constexpr long pause = 20;  // 10 s in all
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for (int i = 0; connect(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0; ++i) {
    bool full = errno == EAGAIN;
    if (full && i == tries) return ETIMEDOUT;
    if (!full && errno != EINTR) return errno;
    if (full) nap(pause);
  }
  fcntl(fd, F_SETFL, 0);
  return 0;
}

}  // namespace

int dial(const std::string& url) {
  if (starts_with(url, "fd:")) return given_descriptor(url);
  bool abstract = starts_with(url, "abstract://");
  if (!abstract && !starts_with(url, "ipc://")) {
    fail(Code::invalid_argument, url, "a daemon dials a URL, such as tcp://host:5555 or abstract://name");
  }
  std::string name = url.substr(abstract ? 11 : 6);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() + 1 > sizeof address.sun_path) {
    fail(Code::address_invalid, url, "a local name has 1 to 107 bytes");
  }
  std::memcpy(address.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1);

  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail(Code::out_of_files, url, std::strerror(errno));
  int reason = connect_within(fd, address, length);
  if (reason != 0) {
    close(fd);
    if (reason == ECONNREFUSED || reason == ENOENT) {
      throw NobodyThere(text_of(Code::refused) + ": " + url + ": " + std::strerror(reason));
    }
    fail(code_for(reason), url, reason == ETIMEDOUT ? "nobody takes the calls there" : std::strerror(reason));
  }
  check_owner(fd, url);
  return fd;
}

}  // namespace tenkai
