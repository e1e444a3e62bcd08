// One SSH connection, with all that goes over it: commands, and the streams of
// tunnels.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/ssh/libssh2/command_channel.h"
#include "plugins/ssh/libssh2/login.h"
#include "plugins/ssh/libssh2/reach.h"
#include "plugins/ssh/libssh2/tunnel_stream.h"

namespace tenkai::ssh {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Events {
    std::function<void()> opened;
    std::function<void(const Refusal&)> refused;   // in place of opened
    std::function<void(const std::string&)> lost;  // afterwards
    std::function<void()> stream_ended;            // of a tunnel
  };
  // `host` outlives it.
  Connection(asio::any_io_executor executor, const Libssh2Host& host, Events events);

  void run();
  // Calls nobody any more.
  void close();

  // The rest once it is open. Commands are started in their order.
  void start(std::shared_ptr<CommandChannel> command);
  void drop(CommandChannel& command);
  // Asks the host to listen on its port and to lead what comes there to ours.
  void listen(std::uint16_t port, std::function<void(bool)> answer);
  void stop_listening(std::uint16_t port);
  std::size_t streams() const { return streams_.size(); }

 private:
  void on_socket(Reach::Socket socket);
  void refuse(Refusal refusal);
  void on_lost(const std::string& why);
  void pump();
  void pump_login();
  void pump_all();
  void accept_streams();
  void take_away();
  void keep_alive();

  asio::any_io_executor executor_;
  const Libssh2Host& host_;
  Events events_;
  asio::steady_timer timer_;
  std::shared_ptr<Reach> reach_;
  std::shared_ptr<Link> link_;
  std::unique_ptr<Login> login_;  // until it is open
  bool closed_ = false;
  bool pumping_ = false;
  bool again_ = false;
  std::chrono::steady_clock::time_point started_;
  // What libssh2 does one of at a time: each returns false until it is done.
  std::deque<std::function<bool()>> turns_;
  std::list<std::shared_ptr<CommandChannel>> commands_;
  std::map<std::uint16_t, LIBSSH2_LISTENER*> listeners_;
  std::list<std::shared_ptr<TunnelStream>> streams_;
  std::vector<LIBSSH2_CHANNEL*> ending_;  // until the host has agreed
};

}  // namespace tenkai::ssh
