// What known_hosts files say of one host.
//
// Read here and not by libssh2, which in 1.10 stops at a line it does not know, takes
// no patterns, and overlooks @revoked. Nothing here ever adds a key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai::ssh {

struct KnownKey {
  enum class Mark { none, authority, revoked } mark = Mark::none;
  std::string type;  // "ssh-ed25519", …
  std::string key;   // in base64, as it stands in the file

  bool operator==(const KnownKey&) const = default;
};

// As known_hosts names it: "host", or "[host]:2222".
std::string known_name(std::string_view host, std::uint16_t port);

// The keys of the lines that speak of `name`: by name, pattern or hash.
std::vector<KnownKey> known_keys(std::string_view text, std::string_view name);

enum class HostKeyVerdict { known, unknown, changed, revoked };
// `key` has the form in which the host shows it.
HostKeyVerdict judge_host_key(const std::vector<KnownKey>& known, std::string_view key);

// The type that stands at the front of such a key, and what people compare:
// "SHA256:…".
std::string type_of_key(std::string_view key);
std::string fingerprint(std::string_view key);

}  // namespace tenkai::ssh
