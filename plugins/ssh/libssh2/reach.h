// A TCP connection to a host by name, within a limit.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/plugin/failure.h"

namespace tenkai::ssh {

namespace asio = boost::asio;

// Tries one address after the other, each for its share of the time. Asio looks names
// up in a thread of its own, one name at a time; an address needs no look-up, and is
// not held up by a name server that hangs.
class Reach : public std::enable_shared_from_this<Reach> {
 public:
  using Socket = asio::ip::tcp::socket;
  // Called once, unless it was stopped: the socket, or why there is none.
  using OnEnd = std::function<void(std::optional<Socket>, Failure)>;

  Reach(asio::any_io_executor executor, std::string host, std::uint16_t port, std::chrono::seconds limit);
  void run(OnEnd on_end);
  void stop();

 private:
  void on_addresses(std::vector<asio::ip::tcp::endpoint> addresses);
  void try_next();
  void end(std::optional<Socket> socket, Failure failure);

  asio::ip::tcp::resolver resolver_;
  Socket socket_;
  asio::steady_timer timer_;
  std::string host_;
  std::uint16_t port_;
  std::chrono::seconds limit_;
  std::chrono::steady_clock::time_point until_;
  std::vector<asio::ip::tcp::endpoint> addresses_;
  std::size_t next_ = 0;
  std::string why_;  // the first address failed
  bool silent_ = false;
  OnEnd on_end_;
};

}  // namespace tenkai::ssh
