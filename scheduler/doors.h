// The URLs at which daemons may come in, and which slot each belongs to.
//
// Every slot has its own URL. WebSocket slots of one address share a listener and
// are told apart by their paths; the others have a listener each. Without slots
// (open, direct) there is one URL for everybody.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/url.h"
#include "wire/listener.h"

namespace tenkai {

class Doors {
 public:
  using OnStranger = std::function<void(ConnectionPtr)>;

  // `strangers` must outlive this.
  Doors(asio::any_io_executor executor, Strangers& strangers, OnStranger on_stranger)
      : executor_(executor), strangers_(strangers), on_stranger_(std::move(on_stranger)) {}

  // One URL per slot, or a single one for all. All are opened, or none. `identity`
  // is what is shown where a URL is encrypted.
  // `ports`: those that a URL with port 0 may get; 0: any.
  struct Ports {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
  };
  // `tokens`: each URL gets a name that nobody can guess, as by regenerate().
  Result<Done> open(std::vector<Url> urls, std::shared_ptr<const TlsIdentity> identity, Ports ports,
                    bool tokens);
  void close();

  // With the ports that were really taken.
  const std::vector<Url>& urls() const { return urls_; }
  // The address that the host of one of these URLs has on this machine; empty where it
  // is not reached over the network.
  std::string address_of(const Url& url) const;
  // The slot whose URL a daemon came with. The host is not compared: a machine
  // has many names. Where no slot has such a port, the one at which the daemon
  // came in counts: a tunnel may have brought it from another. Nothing where no
  // slot has such a URL.
  std::optional<std::size_t> slot_of(std::string_view url, std::uint16_t port) const;
  // Gives a slot a new URL that nobody knows and closes the old one. Nothing for
  // tcp, which has no place for a name.
  Result<std::optional<Url>> regenerate(std::size_t slot);

 private:
  Result<Done> open_one(Url& url);
  Result<Done> open_at_free_port(Url& url);
  void close_unused();

  asio::any_io_executor executor_;
  Strangers& strangers_;
  std::shared_ptr<const TlsIdentity> identity_;
  OnStranger on_stranger_;
  Ports ports_;
  std::vector<Url> urls_;
  std::vector<Url> given_;  // as they were given, before each got a name of its own
  // By the URL without its path (ws) or whole.
  std::map<std::string, std::unique_ptr<Listener>> listeners_;
  // Which slot each URL belongs to, for slot_of().
  std::map<std::string, std::size_t, std::less<>> slots_;
};

// A fresh name on this machine that nobody can guess.
Url fresh_local_url();

}  // namespace tenkai
