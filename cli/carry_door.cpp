#include "cli/carry_door.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "base/url.h"
#include "launcher/launch/carried.h"
#include "wire/local_socket.h"

namespace tenkai {
namespace {

constexpr std::chrono::seconds patience{10};
constexpr std::size_t max_visits = 256;  // at a time
constexpr int most_tries = 40;
constexpr std::chrono::milliseconds between_tries{50};
constexpr char taken = '+';

Url url_of(const std::string& name) {
  Url url;
  url.scheme = Url::Scheme::abstract;
  url.path = name;
  return url;
}

// Containers may share a network, and with it our sockets, and each have a process 7.
std::string process_ids() {
  std::array<char, 64> text{};
  ssize_t size = ::readlink("/proc/self/ns/pid", text.data(), text.size());
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

}  // namespace

// One command on its way in: it ends with a byte 0.
struct CarryDoor::Visit {
  explicit Visit(asio::local::stream_protocol::socket accepted)
      : socket(std::move(accepted)), limit(socket.get_executor()) {}

  asio::local::stream_protocol::socket socket;
  asio::steady_timer limit;
  std::string text;
  std::array<char, 4096> bytes{};
};

CarryDoor::CarryDoor(asio::io_context& io, pid_t session, const std::string& how)
    : io_(io),
      name_("tenkai-carry-" + std::to_string(::geteuid()) + "-" + std::to_string(session) + "-" +
            std::to_string(std::hash<std::string>()(process_ids() + how))),
      acceptor_(io) {}

bool CarryDoor::open(OnCommand on_command) {
  auto endpoint = local_endpoint(url_of(name_));
  if (!endpoint) return false;
  boost::system::error_code failed;
  acceptor_.open(asio::local::stream_protocol(), failed);
  if (!failed) acceptor_.bind(*endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    close();
    return false;
  }
  on_command_ = std::move(on_command);
  accept();
  return true;
}

void CarryDoor::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void CarryDoor::accept() {
  acceptor_.async_accept(
      [this](boost::system::error_code failed, asio::local::stream_protocol::socket socket) {
        if (failed == asio::error::operation_aborted) return;
        if (!failed && visits_ < max_visits && local_peer(socket.native_handle())) {
          auto visit = std::make_shared<Visit>(std::move(socket));
          visit->limit.expires_after(patience);
          visit->limit.async_wait([visit](boost::system::error_code cancelled) {
            boost::system::error_code ignored;
            if (!cancelled) visit->socket.close(ignored);
          });
          ++visits_;
          read(visit);
        }
        accept();
      });
}

void CarryDoor::read(const std::shared_ptr<Visit>& visit) {
  visit->socket.async_read_some(asio::buffer(visit->bytes),
                                [this, visit](boost::system::error_code failed, std::size_t size) {
                                  visit->text.append(visit->bytes.data(), size);
                                  bool is_whole = !visit->text.empty() && visit->text.back() == '\0';
                                  if (!failed && !is_whole && visit->text.size() <= max_carried_command)
                                    return read(visit);
                                  --visits_;
                                  visit->limit.cancel();
                                  if (!is_whole) return;
                                  visit->text.pop_back();
                                  // Only what is known to be taken is not done by the other one itself.
                                  boost::system::error_code unheard;
                                  asio::write(visit->socket, asio::buffer(&taken, 1), unheard);
                                  if (!unheard) on_command_(std::move(visit->text));
                                });
}

bool CarryDoor::hand_in(const std::string& command) {
  asio::local::stream_protocol::socket socket(io_);
  boost::system::error_code failed = connect_at_once(socket, url_of(name_));
  // Whoever has the name may just be about to listen, or have its hands full.
  for (int i = 0; failed && i < most_tries; ++i) {
    socket.close(failed);
    std::this_thread::sleep_for(between_tries);
    failed = connect_at_once(socket, url_of(name_));
  }
  if (failed || !local_peer(socket.native_handle())) return false;
  socket.non_blocking(false, failed);
  // Not by Asio, which waits on where such a limit is reached.
  int descriptor = socket.native_handle();
  timeval limit{patience.count(), 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  std::size_t size = command.size() + 1;
  if (::send(descriptor, command.c_str(), size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return false;
  char answer = 0;
  return ::recv(descriptor, &answer, 1, 0) == 1 && answer == taken;
}

}  // namespace tenkai
