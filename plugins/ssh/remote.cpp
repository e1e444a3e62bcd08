#include "plugins/ssh/remote.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "base/url.h"

namespace tenkai::ssh {
namespace {

constexpr std::string_view scheme = "ssh://";
constexpr std::size_t max_name = 255;
constexpr std::chrono::seconds max_timeout{600};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Names are free in what lies beyond ASCII; of ASCII they have what no shell reads.
bool all_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || others.find(c) != others.npos || static_cast<unsigned char>(c) >= 0x80;
  });
}

// An address of IPv6, without its zone: digits in groups.
bool is_address(std::string_view text) {
  return text.substr(0, text.find('%')).find_first_not_of("0123456789abcdefABCDEF:.") == text.npos;
}

bool is_host(std::string_view text) {
  if (text.find(':') != text.npos && !is_address(text)) return false;
  return !text.empty() && text.size() <= max_name && text.front() != '-' && all_of(text, ".-_:%");
}

bool is_user(std::string_view text) {
  return !text.empty() && text.size() <= max_name && text.front() != '-' && all_of(text, ".-_+@\\=,");
}

Error refuse(std::string_view text, std::string_view why) {
  return Error{"'" + printable(text) + "' is no host to reach by SSH: " + std::string(why) +
               "; write it like ssh://user@host:22, or give a host of ~/.ssh/config"};
}

// Takes the port off the end of `rest`. A host with two colons is an address, all of it.
Result<std::uint16_t> take_port(std::string_view& rest, std::string_view whole) {
  std::size_t colon = rest.rfind(':');
  bool has_port =
      colon != rest.npos && (rest.front() == '[' ? colon > rest.find(']') : rest.find(':') == colon);
  if (!has_port) return std::uint16_t{0};
  std::optional<std::uint16_t> port = to_number<std::uint16_t>(rest.substr(colon + 1));
  if (!port || *port == 0) return refuse(whole, "the port must be a number from 1 to 65535");
  rest = rest.substr(0, colon);
  return *port;
}

}  // namespace

Result<Remote> parse_remote(std::string_view text) {
  Remote remote;
  std::string_view rest = text;
  if (rest.substr(0, scheme.size()) == scheme) {
    rest.remove_prefix(scheme.size());
    if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  }
  // A user may be a name like user@domain.
  if (std::size_t at = rest.rfind('@'); at != rest.npos) {
    if (!is_user(rest.substr(0, at))) return refuse(text, "the user before '@' is no name");
    remote.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
  }
  if (rest.empty()) return refuse(text, "it names no host");
  Result<std::uint16_t> port = take_port(rest, text);
  if (!port) return port.error();
  remote.port = *port;
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') rest = rest.substr(1, rest.size() - 2);
  if (!is_host(rest)) return refuse(text, "'" + printable(rest) + "' is no name of a host");
  remote.host = rest;
  return remote;
}

std::string to_string(const Remote& remote) {
  std::string text = remote.user.empty() ? "" : remote.user + "@";
  bool is_address = remote.host.find(':') != remote.host.npos;
  text += is_address && remote.port != 0 ? "[" + remote.host + "]" : remote.host;
  return remote.port == 0 ? text : text + ":" + std::to_string(remote.port);
}

namespace {

// The ports of the URLs, each once. What is behind another name than localhost a
// tunnel cannot carry.
Result<std::vector<std::uint16_t>> tunnel_ports(const std::vector<std::string>& urls) {
  std::vector<std::uint16_t> ports;
  for (const std::string& text : urls) {
    Result<Url> url = parse_url(text);
    if (!url) return url.error();
    if (!is_loopback(*url) || url->port == 0) {
      return Error{"a tunnel cannot lead to " + text +
                   ": with tunnel = TRUE the URL must be of localhost or 127.0.0.1, with a port"};
    }
    if (std::find(ports.begin(), ports.end(), url->port) == ports.end()) ports.push_back(url->port);
  }
  if (ports.empty()) return Error{"a tunnel was asked for, but no URL that it could lead to"};
  return ports;
}

}  // namespace

Result<SshRequest> read_request(const LaunchRequest& launch) {
  Result<Remote> remote = parse_remote(launch.option("remote"));
  if (!remote) return remote.error();
  SshRequest request;
  request.remote = *remote;
  if (std::string text = launch.option("timeout"); !text.empty()) {
    std::optional<int> seconds = to_number<int>(text);
    if (!seconds || *seconds < 1 || *seconds > max_timeout.count())
      return Error{"timeout must be a whole number of seconds from 1 to 600, not '" + printable(text) + "'"};
    request.timeout = std::chrono::seconds(*seconds);
  }
  if (launch.flag("tunnel")) {
    Result<std::vector<std::uint16_t>> ports = tunnel_ports(launch.urls);
    if (!ports) return ports.error();
    request.ports = *ports;
  }
  request.client = launch.option("client");
  request.config = launch.option("config");
  if (auto args = launch.options.find("client_args"); args != launch.options.end())
    request.client_args = args->second;
  return request;
}

}  // namespace tenkai::ssh
