// Where the commands of one session come together: the first `tenkai carry` of a session and
// profile opens a door, and the others hand their commands in there and end.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace tenkai {

class CarryDoor {
 public:
  using OnCommand = std::function<void(std::string command)>;

  // `session`: the process whose workers they are; `how`: all that says how they are launched, so
  // that a profile that was changed meanwhile has a door of its own.
  CarryDoor(boost::asio::io_context& io, pid_t session, const std::string& how);

  // False where another one of this user has opened it; it may be tried again.
  bool open(OnCommand on_command);
  void close();
  // Gives a command to whoever has opened it. It blocks, for 10 s at most; false where nobody of
  // this user has taken it.
  bool hand_in(const std::string& command);

 private:
  struct Visit;
  void accept();
  void read(const std::shared_ptr<Visit>& visit);

  boost::asio::io_context& io_;
  std::string name_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  OnCommand on_command_;
  std::size_t visits_ = 0;
};

}  // namespace tenkai
