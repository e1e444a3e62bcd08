#include "tests/system/proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <stdexcept>
#include <utility>

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

using Time = std::chrono::steady_clock::time_point;

// One direction of a connection: what is under way in it, and when it arrives.
struct Way {
  int from;
  int to;
  std::deque<std::pair<Time, std::string>> under_way{};  // an empty piece is the end

  // More has come.
  void take(Time arrives) {
    std::string piece(65536, '\0');
    ssize_t size = ::recv(from, piece.data(), piece.size(), 0);
    piece.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    under_way.emplace_back(arrives, std::move(piece));
  }
  bool has_ended() const { return !under_way.empty() && under_way.back().second.empty(); }

  // What has arrived. False at the end of the stream.
  bool deliver(Time now, bool corrupts) {
    for (; !under_way.empty() && under_way.front().first <= now; under_way.pop_front()) {
      std::string& piece = under_way.front().second;
      if (piece.empty()) return false;
      if (corrupts) piece[piece.size() / 2] = static_cast<char>(piece[piece.size() / 2] ^ 0x55);
      for (std::size_t sent = 0; sent < piece.size();) {
        ssize_t more = ::send(to, piece.data() + sent, piece.size() - sent, MSG_NOSIGNAL);
        if (more <= 0) return false;
        sent += static_cast<std::size_t>(more);
      }
    }
    return true;
  }
};

struct Pair {
  Way there;
  Way back;
};

void close_both(const Pair& pair) {
  ::close(pair.there.from);
  ::close(pair.there.to);
}

// Bytes that have come and were not taken.
std::size_t unread_of(const std::vector<Pair>& pairs) {
  std::size_t all = 0;
  for (const Pair& pair : pairs) {
    for (int from : {pair.there.from, pair.back.from}) {
      int unread = 0;
      if (::ioctl(from, FIONREAD, &unread) == 0) all += static_cast<std::size_t>(unread);
    }
  }
  return all;
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
      for (const Pair& pair : pairs) close_both(pair);
      pairs.clear();
    }
    std::vector<pollfd> watched{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      for (const Way* way : {&pair.there, &pair.back}) {
        watched.push_back({way->has_ended() ? -1 : way->from, POLLIN, 0});
      }
    }
    if (stalled_) watched.clear();
    int ready = ::poll(watched.data(), watched.size(), 10);
    held_ = stalled_ ? unread_of(pairs) : 0;
    if (stalled_ || ready < 0) continue;
    Time now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; 2 * i + 2 < watched.size(); ++i) {
      Time arrives = now + std::chrono::milliseconds(delay_);
      if (watched[2 * i + 1].revents != 0) pairs[i].there.take(arrives);
      if (watched[2 * i + 2].revents != 0) pairs[i].back.take(arrives);
    }
    std::erase_if(pairs, [&](Pair& pair) {
      bool goes_on = pair.there.deliver(now, corrupts_) && pair.back.deliver(now, corrupts_);
      if (!goes_on) close_both(pair);
      return !goes_on;
    });
    if ((watched[0].revents & POLLIN) == 0) continue;
    int left = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    int right = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(target_);
    if (left >= 0 && ::connect(right, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      pairs.push_back({Way{left, right}, Way{right, left}});
      ++connections_;
    } else {
      ::close(left);
      ::close(right);
    }
  }
  for (const Pair& pair : pairs) close_both(pair);
}

std::uint16_t port_of(const std::string& url) { return parse_url(url)->port; }

std::string with_port(const std::string& text, std::uint16_t port) {
  Url url = *parse_url(text);
  url.port = port;
  return to_string(url);
}

}  // namespace tenkai::test
