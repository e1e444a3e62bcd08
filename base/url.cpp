#include "base/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

using Scheme = Url::Scheme;

struct Known {
  Scheme scheme;
  std::string_view name;
  std::string_view example;
};
constexpr Known known[] = {
    {Scheme::tcp, "tcp", "tcp://127.0.0.1:5555"},      {Scheme::tls_tcp, "tls+tcp", "tls+tcp://login1:5555"},
    {Scheme::ws, "ws", "ws://127.0.0.1:5555/1"},       {Scheme::wss, "wss", "wss://login1:5555/1"},
    {Scheme::abstract, "abstract", "abstract://name"}, {Scheme::ipc, "ipc", "ipc:///tmp/name"},
};

const Known& entry(Scheme scheme) {
  return *std::find_if(std::begin(known), std::end(known),
                       [&](const Known& k) { return k.scheme == scheme; });
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A URL in the making: what was given, for the sentence that refuses it.
struct Given {
  std::string_view text;
  std::string_view example = "tcp://127.0.0.1:5555";

  Error refuse(const std::string& why) const {
    return {"the URL '" + printable(text) + "' " + why + "; a right one looks like " + std::string(example)};
  }
};

std::string shown(char c) {
  if (c == ' ') return "a space";
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "the control character " + printable({&c, 1});
  return std::string("the character ") + c;
}

// What has a meaning of its own for a shell, for R or for a terminal: URLs are
// pasted into commands and logs, and must arrive as they left.
std::optional<std::string> bad_character(std::string_view text) {
  for (char c : text) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (control || std::string_view(" \"'\\`$<>^|{}").find(c) != std::string_view::npos) return shown(c);
  }
  return std::nullopt;
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// Dots and digits alone are an address, and then a right one: 10.0.0.300 as a
// name would only fail later, in a resolver, with a worse sentence.
bool is_host_name(const std::string& host) {
  if (host.size() > 253) return false;
  if (host.find_first_not_of("0123456789.") == std::string::npos) return is_ipv4(host);
  for (std::string_view label : split(host, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-') return false;
    bool right = std::all_of(label.begin(), label.end(),
                             [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
    if (!right) return false;
  }
  return true;
}

// With the name of an interface or without: fe80::1%eth0.
std::optional<in6_addr> ipv6(const std::string& text) {
  std::size_t zone = text.find('%');
  if (zone != std::string::npos && !is_host_name(text.substr(zone + 1))) return std::nullopt;
  in6_addr address{};
  if (inet_pton(AF_INET6, text.substr(0, zone).c_str(), &address) != 1) return std::nullopt;
  return address;
}

struct HostAndPort {
  std::string host;
  std::string_view port;
};

Result<HostAndPort> split_host(const Given& given, std::string_view authority) {
  if (authority.substr(0, 1) == "[") {
    std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return given.refuse("opens a bracket and does not close it");
    std::string host(authority.substr(1, end - 1));
    if (!ipv6(host)) return given.refuse("has no IPv6 address between its brackets");
    std::string_view rest = authority.substr(end + 1);
    if (rest.substr(0, 1) != ":") return given.refuse("has no port (0 lets the system choose one)");
    return HostAndPort{host, rest.substr(1)};
  }
  std::size_t colon = authority.find(':');
  if (colon == std::string_view::npos) return given.refuse("has no port (0 lets the system choose one)");
  if (authority.find(':', colon + 1) != std::string_view::npos) {
    return given.refuse("has more than one ':' (an IPv6 address stands in brackets, as in tcp://[::1]:5555)");
  }
  std::string host(authority.substr(0, colon));
  if (!host.empty() && !is_host_name(host)) {
    return given.refuse("has a host that is neither a name nor an address: '" + printable(host) +
                        "' (no host at all means all interfaces)");
  }
  return HostAndPort{host, authority.substr(colon + 1)};
}

Result<Url> parse_network(const Given& given, Scheme scheme, std::string_view rest) {
  if (!is_ascii(rest)) return given.refuse("has characters beyond ASCII (write them as %C3%A9 and the like)");
  if (rest.find('#') != std::string_view::npos)
    return given.refuse("has a '#', which never reaches the other end");
  std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return given.refuse("has a user before its host, which nothing here could use");
  }
  Result<HostAndPort> place = split_host(given, authority);
  if (!place) return place.error();
  auto port = to_number<std::uint16_t>(place->port);
  if (!port)
    return given.refuse("has the port '" + printable(place->port) + "', which is no number from 0 to 65535");

  Url url{scheme, place->host, *port, std::string(rest.substr(slash))};
  if (!url.path.empty() && !is_websocket(url))
    return given.refuse("has a path, which only ws and wss URLs have");
  return url;
}

Result<Url> parse_local(const Given& given, Scheme scheme, std::string_view name) {
  std::string what = scheme == Scheme::ipc ? "path" : "name";
  if (name.empty()) return given.refuse("has no " + what);
  if (scheme == Scheme::ipc && name.front() != '/')
    return given.refuse("has a path that does not start at '/'");
  if (name.size() > max_socket_name) {
    return given.refuse("has a " + what + " of " + std::to_string(name.size()) +
                        " bytes, and the system allows " + std::to_string(max_socket_name));
  }
  return Url{scheme, "", 0, std::string(name)};
}

Result<Url> spread(const Url& first, std::size_t slot) {
  Url url = first;
  if (url.scheme == Scheme::tcp || url.scheme == Scheme::tls_tcp) {
    if (url.port == 0) return url;
    std::size_t port = url.port + slot;
    if (port > UINT16_MAX) {
      return Error{"daemons after the first one at " + to_string(first) +
                   " take the ports that follow, and there is no port " + std::to_string(port) +
                   "; choose a lower port, or 0"};
    }
    url.port = static_cast<std::uint16_t>(port);
    return url;
  }
  url.path += (!url.path.empty() && url.path.back() == '/' ? "" : "/") + std::to_string(slot + 1);
  // The name has grown, perhaps beyond what a socket can have.
  return parse_url(to_string(url));
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Given given{text};
  if (text.empty()) return given.refuse("is empty");
  if (text.size() > max_url) {
    return given.refuse("is " + std::to_string(text.size()) + " bytes long, and " + std::to_string(max_url) +
                        " are allowed");
  }
  std::size_t colon = text.find("://");
  std::string_view name = text.substr(0, colon);
  auto found =
      std::find_if(std::begin(known), std::end(known), [&](const Known& k) { return k.name == name; });
  if (colon == std::string_view::npos || found == std::end(known)) {
    std::string why = colon == std::string_view::npos
                          ? "has no scheme"
                          : "has the unknown scheme '" + printable(name, 40) + "'";
    return given.refuse(why + " (known are tcp, tls+tcp, ws, wss, abstract, ipc)");
  }
  given.example = found->example;
  if (auto bad = bad_character(text))
    return given.refuse("has " + *bad + " in it, which no URL here may have");

  std::string_view rest = text.substr(colon + 3);
  bool local = found->scheme == Scheme::abstract || found->scheme == Scheme::ipc;
  return local ? parse_local(given, found->scheme, rest) : parse_network(given, found->scheme, rest);
}

std::string to_string(const Url& url) {
  std::string text = std::string(name_of(url.scheme)) + "://";
  if (!is_network(url)) return text + url.path;
  bool bracketed = url.host.find(':') != std::string::npos;
  text += bracketed ? "[" + url.host + "]" : url.host;
  return text + ":" + std::to_string(url.port) + url.path;
}

std::string_view name_of(Url::Scheme scheme) { return entry(scheme).name; }

bool is_network(const Url& url) { return url.scheme != Scheme::abstract && url.scheme != Scheme::ipc; }

bool is_encrypted(const Url& url) { return url.scheme == Scheme::tls_tcp || url.scheme == Scheme::wss; }

bool is_websocket(const Url& url) { return url.scheme == Scheme::ws || url.scheme == Scheme::wss; }

bool is_loopback(const Url& url) {
  if (!is_network(url)) return false;
  if (url.host == "localhost") return true;
  if (is_ipv4(url.host)) return url.host.compare(0, 4, "127.") == 0;
  auto address = ipv6(url.host);
  if (!address) return false;
  bool mapped_127 = IN6_IS_ADDR_V4MAPPED(&*address) && address->s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&*address) || mapped_127;
}

Result<std::vector<Url>> expand_urls(const std::vector<Url>& urls, std::size_t slots) {
  if (urls.empty())
    return Error{"no URL was given to listen at; name at least one, for example tcp://127.0.0.1:0"};
  if (slots == 0)
    return Error{"no daemon was asked for at " + to_string(urls.front()) + "; ask for at least 1"};
  if (urls.size() == slots) return urls;

  std::vector<Url> expanded;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    Result<Url> url = spread(urls.front(), slot);
    if (!url) return url.error();
    expanded.push_back(std::move(*url));
  }
  return expanded;
}

}  // namespace tenkai
