#include "scheduler/doors.h"

#include <unistd.h>

#include <cstdint>
#include <set>
#include <utility>

#include "base/random_hex.h"

namespace tenkai {
namespace {

constexpr std::size_t name_bytes = 12;  // 24 hexadecimal digits, as the users know them

// What a listener is shared by.
std::string key_of(Url url) {
  if (is_websocket(url)) url.path.clear();
  return to_string(url);
}

// What is left of a URL when the host is not compared.
std::string place_of(const Url& url) {
  Url place = url;
  place.host.clear();
  if (is_websocket(url) && place.path.empty()) place.path = "/";
  return to_string(place);
}

// The same place under a name that nobody can guess. tcp has no place for one.
Result<Url> with_token(Url url) {
  if (is_websocket(url)) url.path = (url.path == "/" ? "" : url.path) + "/" + random_hex(name_bytes);
  if (url.scheme == Url::Scheme::abstract) return fresh_local_url();
  if (url.scheme == Url::Scheme::ipc) url.path += "." + random_hex(name_bytes);
  // The name has grown, perhaps beyond what a socket can have.
  return parse_url(to_string(url));
}

}  // namespace

Url fresh_local_url() {
  Url url;
  url.scheme = Url::Scheme::abstract;
  url.path = random_hex(name_bytes);
  return url;
}

Result<Done> Doors::open(std::vector<Url> urls, std::shared_ptr<const TlsIdentity> identity, Ports ports,
                         bool tokens) {
  identity_ = std::move(identity);
  ports_ = ports;
  given_ = urls;
  urls_ = std::move(urls);
  for (Url& url : urls_) {
    Result<Url> named = tokens ? with_token(url) : url;
    if (!named) return with_code(Code::invalid_argument, named.error().message);
    url = std::move(*named);
  }
  // WebSocket URLs with port 0 on one host share the port that the first one gets.
  std::map<std::string, std::uint16_t> taken;
  for (std::size_t i = 0; i < urls_.size(); ++i) {
    Url& url = urls_[i];
    std::string asked = key_of(url);
    bool shares = is_websocket(url) && url.port == 0;
    if (auto known = taken.find(asked); shares && known != taken.end()) url.port = known->second;
    bool any_port = is_network(url) && url.port == 0 && ports_.first > 0;
    Result<Done> open = any_port ? open_at_free_port(url) : open_one(url);
    if (open && slots_.count(place_of(url)) != 0) {
      open = with_code(Code::invalid_argument, "two slots have the URL " + to_string(url));
    }
    if (!open) {
      close();
      return open;
    }
    if (shares) taken[asked] = url.port;
    slots_[place_of(url)] = i;
  }
  return Done{};
}

// From somewhere in the middle: others of this machine may look at the same time.
Result<Done> Doors::open_at_free_port(Url& url) {
  std::uint32_t count = std::uint32_t{ports_.last} - ports_.first + 1;
  std::uint32_t begin = static_cast<std::uint32_t>(::getpid()) * 31U;
  std::string last;
  for (std::uint32_t i = 0; i < count; ++i) {
    Url tried = url;
    tried.port = static_cast<std::uint16_t>(ports_.first + (begin + i) % count);
    if (listeners_.count(key_of(tried)) != 0) continue;
    Result<Done> open = open_one(tried);
    if (open) url = tried;
    if (open) return open;
    last = open.error().message;
  }
  return Error{"none of the ports " + std::to_string(ports_.first) + "-" + std::to_string(ports_.last) +
               " that may be listened at is free; the last one: " + last};
}

Result<Done> Doors::open_one(Url& url) {
  if (listeners_.count(key_of(url)) != 0) return Done{};
  // Which paths are known is asked with the real port, which opening tells.
  auto port = std::make_shared<std::uint16_t>(url.port);
  auto knows = [this, url, port](std::string_view path) {
    Url asked = url;
    asked.port = *port;
    asked.path = path;
    return slots_.count(place_of(asked)) != 0;
  };
  Result<std::unique_ptr<Listener>> listener =
      Listener::open(executor_, Listener::Door{url, knows, identity_, &strangers_}, on_stranger_);
  if (!listener) return listener.error();
  if (is_network(url)) url.port = *port = (*listener)->url().port;
  listeners_[key_of(url)] = std::move(*listener);
  return Done{};
}

std::string Doors::address_of(const Url& url) const {
  auto found = listeners_.find(key_of(url));
  return found == listeners_.end() ? std::string() : found->second->address();
}

void Doors::close() {
  listeners_.clear();
  slots_.clear();
}

std::optional<std::size_t> Doors::slot_of(std::string_view text, std::uint16_t port) const {
  Result<Url> url = parse_url(text);
  if (!url) return std::nullopt;
  auto found = slots_.find(place_of(*url));
  if (found == slots_.end()) {
    url->port = port;
    found = slots_.find(place_of(*url));
  }
  if (found == slots_.end()) return std::nullopt;
  return found->second;
}

Result<std::optional<Url>> Doors::regenerate(std::size_t slot) {
  Url url = urls_[slot];
  if (is_network(url) && !is_websocket(url)) return std::optional<Url>();
  std::uint16_t port = url.port;
  Result<Url> named = with_token(given_[slot]);
  if (!named) return named.error();
  url = std::move(*named);
  url.port = port;
  Result<Done> open = open_one(url);
  if (!open) return open.error();
  slots_.erase(place_of(urls_[slot]));
  slots_[place_of(url)] = slot;
  urls_[slot] = url;
  close_unused();
  return std::optional<Url>(url);
}

void Doors::close_unused() {
  std::set<std::string> used;
  for (const Url& url : urls_) used.insert(key_of(url));
  std::erase_if(listeners_, [&](const auto& entry) { return used.count(entry.first) == 0; });
}

}  // namespace tenkai
