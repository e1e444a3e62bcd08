// Listens at one address and hands out connections.
//
// Over the network TLS and the upgrade to a WebSocket are done when a connection
// is handed out; for local sockets nobody is let in who is not this user. It does
// not greet: a connection it hands out is still a stranger's.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/url.h"
#include "wire/connection.h"
#include "wire/strangers.h"
#include "wire/tls.h"

namespace tenkai {

class Listener {
 public:
  using OnAccept = std::function<void(ConnectionPtr)>;
  // Whether a WebSocket may ask for this path. Called while listening.
  using KnowsPath = std::function<bool(std::string_view path)>;

  // What one needs to know who listens on a network.
  struct Door {
    Url url;
    KnowsPath knows_path;                         // of a WebSocket
    std::shared_ptr<const TlsIdentity> identity;  // wherever the URL is encrypted
    Strangers* strangers = nullptr;               // must outlive the listener
  };

  virtual ~Listener() = default;
  // The address with the port that was really taken; without a path.
  virtual const Url& url() const = 0;
  // Over the network: the address that the URL's host name has here; "0.0.0.0" or "::",
  // all there are.
  virtual std::string address() const { return {}; }

  // Listens from now until destroyed. Refusals name the address and the reason,
  // beginning with the number of the reason ("10 | Address in use: …").
  static Result<std::unique_ptr<Listener>> open(asio::any_io_executor executor, Door door,
                                                OnAccept on_accept);
};

}  // namespace tenkai
