// Strangers, until they have said who they are.
//
// A connection that has been accepted belongs here until its HELLO has come: at
// most 4 KiB, within 10 seconds, and no more than 256 at a time, 32 of them from
// one address; the oldest one goes first. Nothing a stranger sends goes any
// further. The credential handshake has its place between HELLO and on_hello.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "wire/connection.h"

namespace tenkai {

class Greeting {
 public:
  static constexpr std::size_t max_half_open = 256;
  static constexpr std::size_t max_per_address = 32;
  static constexpr std::chrono::seconds time_limit{10};

  // Gets the connection and its HELLO; must either welcome() or refuse() it.
  using OnHello = std::function<void(const ConnectionPtr&, const Frame& hello)>;

  Greeting(asio::any_io_executor executor, OnHello on_hello)
      : timer_(executor), on_hello_(std::move(on_hello)) {}

  void receive(ConnectionPtr stranger);
  std::size_t half_open() const { return strangers_.size(); }

 private:
  struct Stranger {
    ConnectionPtr connection;
    std::string address;  // without the port
    std::chrono::steady_clock::time_point until;
  };
  void make_room(const std::string& address);
  void on_frame(const ConnectionPtr& stranger, const Frame& frame);
  void forget(const Connection* connection);
  void arm();

  asio::steady_timer timer_;
  OnHello on_hello_;
  std::list<Stranger> strangers_;  // oldest first
};

// From now on the peer is known: larger frames, other callbacks, WELCOME.
void welcome(Connection& connection, Connection::Callbacks callbacks, Frame welcome);
// Says why not and which version we are, and closes.
void refuse(Connection& connection, std::string reason, std::string_view own_version);

// What both ends of a greeting check first. Versions must be equal: the parts of
// one installation meet here. Returns the sentence for the other end, or nothing.
std::string version_mismatch(const Frame& greeting, std::string_view own_version);

}  // namespace tenkai
