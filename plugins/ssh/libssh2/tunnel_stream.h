// One connection through a tunnel: a channel that the host has opened, joined to a
// TCP connection to a port of ours. Each direction holds at most one buffer: who
// reads slowly makes the other side wait. Each direction ends by itself.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "plugins/ssh/libssh2/link.h"

namespace tenkai::ssh {

class TunnelStream : public std::enable_shared_from_this<TunnelStream> {
 public:
  // on_progress: our side has moved; pump again.
  TunnelStream(asio::any_io_executor executor, LIBSSH2_CHANNEL* channel, std::uint16_t port,
               std::function<void()> on_progress);

  void run() { connect(asio::ip::address_v4::loopback()); }
  void pump(Link& link);
  bool is_over() const { return over_; }
  // The connection frees it.
  LIBSSH2_CHANNEL* release() { return std::exchange(channel_, nullptr); }
  // Its connection is gone, and the channel with it.
  void stop();

 private:
  void connect(const asio::ip::address& address);
  void read_ours();
  void write_ours(std::size_t size);
  bool push_up(Link& link);
  void pull_down();
  void end();
  void tell_progress();

  asio::ip::tcp::socket ours_;
  LIBSSH2_CHANNEL* channel_;
  std::uint16_t port_;
  std::function<void()> on_progress_;
  std::array<char, 65536> up_{};    // from us to the host
  std::array<char, 65536> down_{};  // from the host to us
  std::size_t up_size_ = 0;
  std::size_t up_sent_ = 0;
  bool connected_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool up_ended_ = false;  // we have said all
  bool up_eof_sent_ = false;
  bool down_ended_ = false;  // the host has said all
  bool over_ = false;
};

}  // namespace tenkai::ssh
