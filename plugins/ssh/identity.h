// Which kind of key a file holds, without its secret part being touched.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai::ssh {

struct KeyKind {
  std::string type;         // "ssh-ed25519", …; empty: cannot be told
  bool encrypted = false;   // with a passphrase
  std::string public_part;  // as an agent names it; empty where the file does not tell

  bool operator==(const KeyKind&) const = default;
};

// Nothing where the text is no private key.
std::optional<KeyKind> kind_of_key(std::string_view text);

struct Identity {
  std::string file;
  KeyKind kind;
  bool has_certificate = false;  // a file NAME-cert.pub beside it, which ssh would show
};
// Reads those files that are there. The public part of a key in an older format is taken from
// NAME.pub.
std::vector<Identity> read_identities(const std::vector<std::string>& files);

// What libssh2 1.10 can sign with: its RSA signatures are of a kind (SHA-1) that
// OpenSSH has refused since 8.8, and it knows neither tokens nor certificates.
bool can_sign(std::string_view type);

// At most 1 MiB of a file; empty where there is none.
std::string read_file(const std::string& name);

}  // namespace tenkai::ssh
