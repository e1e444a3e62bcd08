// Listens at one address and hands out connections.
//
// For WebSockets it reads the HTTP request (at most 4 KiB, GET, no Origin, a path
// somebody asked for) and answers the upgrade; for local sockets it lets nobody
// in who is not this user. It does not greet: a connection it hands out is still
// a stranger's.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/url.h"
#include "wire/connection.h"

namespace tenkai {

class Listener {
 public:
  using OnAccept = std::function<void(ConnectionPtr)>;
  // Whether a WebSocket may ask for this path. Called while listening.
  using KnowsPath = std::function<bool(std::string_view path)>;

  virtual ~Listener() = default;
  // The address with the port that was really taken; without a path.
  virtual const Url& url() const = 0;

  // Listens from now until destroyed. Refusals name the address and the reason,
  // beginning with the number of the reason ("10 | Address in use: …").
  static Result<std::unique_ptr<Listener>> open(asio::any_io_executor executor, const Url& url,
                                                OnAccept on_accept, KnowsPath knows_path = {});
};

}  // namespace tenkai
