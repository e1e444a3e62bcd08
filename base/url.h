// Where a daemon finds its dispatcher.
//
//   tcp://host:5555   ws://host:5555/path   tls+tcp://…   wss://…   between machines
//   abstract://name   ipc:///path/of/socket                         on one machine
//
// An IPv6 address stands in brackets; an empty host means all interfaces when
// listening; port 0 lets the system choose one. A port is always written:
// there is none that everybody would guess.
//
// C++17, as base/text and base/result, because the R package includes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

struct Url {
  enum class Scheme : std::uint8_t { tcp, tls_tcp, ws, wss, abstract, ipc };

  Scheme scheme = Scheme::tcp;
  std::string host;        // network only; IPv6 without its brackets
  std::uint16_t port = 0;  // network only
  std::string path;        // ws and wss: from '/', or empty; abstract: the name; ipc: the file

  friend bool operator==(const Url& a, const Url& b) {
    return a.scheme == b.scheme && a.host == b.host && a.port == b.port && a.path == b.path;
  }
};

// The longest URL, and the longest name that a local socket can have.
inline constexpr std::size_t max_url = 2048;
inline constexpr std::size_t max_socket_name = 107;

// Accepts nothing that a shell, R or a log would read in another way: no control
// bytes, spaces, quotes, backslashes, '$', and no user before the host.
Result<Url> parse_url(std::string_view text);

// parse_url(to_string(url)) is `url` again.
std::string to_string(const Url& url);

// "tcp", "tls+tcp", …
std::string_view name_of(Url::Scheme scheme);

// Over TCP, so that another machine could be at the other end.
bool is_network(const Url& url);
// wss and tls+tcp.
bool is_encrypted(const Url& url);
// ws and wss: several paths share one port.
bool is_websocket(const Url& url);
// A network URL that cannot leave this machine: 127.0.0.0/8, ::1 or localhost. An
// empty host can be reached from anywhere, and a name like 127.example.org is no address.
bool is_loopback(const Url& url);

// The URLs of `slots` slots from those a user gave: as many as slots are taken as
// they are. Otherwise the first one is spread: ws, wss and local ones get "/1" …
// "/n" behind what they have, tcp ones the ports p … p+n-1, or port 0 each.
Result<std::vector<Url>> expand_urls(const std::vector<Url>& urls, std::size_t slots);

}  // namespace tenkai
