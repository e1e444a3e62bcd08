#include "tests/system/proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/url.h"

namespace tenkai::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

struct Pair {
  int left;
  int right;
};

// False at the end of the stream.
bool forward(int from, int to) {
  std::array<char, 65536> buffer{};
  ssize_t size = ::recv(from, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  for (ssize_t sent = 0; sent < size;) {
    ssize_t more = ::send(to, buffer.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
    if (more <= 0) return false;
    sent += more;
  }
  return true;
}

}  // namespace

Proxy::Proxy(std::uint16_t port) : target_(port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void Proxy::run() {
  std::vector<Pair> pairs;
  while (!stop_) {
    if (cut_.exchange(false)) {
      for (Pair& pair : pairs) {
        ::close(pair.left);
        ::close(pair.right);
      }
      pairs.clear();
    }
    std::vector<pollfd> watched{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      watched.push_back({pair.left, POLLIN, 0});
      watched.push_back({pair.right, POLLIN, 0});
    }
    if (stalled_) watched.clear();
    if (::poll(watched.data(), watched.size(), 10) <= 0 || stalled_) continue;
    for (std::size_t i = 0; 2 * i + 2 < watched.size(); ++i) {
      bool good = true;
      if (watched[2 * i + 1].revents != 0) good = forward(pairs[i].left, pairs[i].right);
      if (good && watched[2 * i + 2].revents != 0) good = forward(pairs[i].right, pairs[i].left);
      if (good) continue;
      ::close(pairs[i].left);
      ::close(pairs[i].right);
      pairs[i] = {-1, -1};
    }
    std::erase_if(pairs, [](const Pair& pair) { return pair.left < 0; });
    if ((watched[0].revents & POLLIN) == 0) continue;
    int left = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    int right = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(target_);
    if (left >= 0 && ::connect(right, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      pairs.push_back({left, right});
      ++connections_;
    } else {
      ::close(left);
      ::close(right);
    }
  }
  for (Pair& pair : pairs) {
    ::close(pair.left);
    ::close(pair.right);
  }
}

std::uint16_t port_of(const std::string& url) { return parse_url(url)->port; }

std::string with_port(const std::string& text, std::uint16_t port) {
  Url url = *parse_url(text);
  url.port = port;
  return to_string(url);
}

}  // namespace tenkai::test
