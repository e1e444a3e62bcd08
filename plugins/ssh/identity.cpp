#include "plugins/ssh/identity.h"

#include <unistd.h>

#include <fstream>
#include <utility>

#include "base/text.h"
#include "plugins/ssh/ssh_text.h"

namespace tenkai::ssh {
namespace {

constexpr std::size_t max_file = 1024 * 1024;

std::optional<std::string_view> between(std::string_view text, std::string_view begin, std::string_view end) {
  std::size_t from = text.find(begin);
  if (from == text.npos) return std::nullopt;
  from += begin.size();
  std::size_t to = text.find(end, from);
  if (to == text.npos) return std::nullopt;
  return text.substr(from, to - from);
}

// "openssh-key-v1", cipher, its key derivation, how many keys, their public parts.
std::optional<KeyKind> kind_of_openssh_key(std::string_view body) {
  constexpr std::string_view magic("openssh-key-v1\0", 15);
  std::string bytes = from_base64(body);
  if (bytes.substr(0, magic.size()) != magic) return std::nullopt;
  SshReader reader(std::string_view(bytes).substr(magic.size()));
  KeyKind kind;
  kind.encrypted = reader.text() != "none";
  reader.text();
  reader.text();
  reader.number();
  kind.public_part = reader.text();
  if (!reader.good()) return std::nullopt;
  kind.type = SshReader(kind.public_part).text();
  return kind;
}

// "ssh-ed25519 AAAA… comment"
std::string public_part_of(const std::string& line) {
  std::vector<std::string_view> words = split(line, ' ');
  return words.size() < 2 ? std::string() : from_base64(trim(words[1]));
}

}  // namespace

std::optional<KeyKind> kind_of_key(std::string_view text) {
  if (auto body = between(text, "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END")) {
    return kind_of_openssh_key(*body);
  }
  if (!between(text, "-----BEGIN ", " KEY-----") || text.find("PRIVATE KEY-----") == text.npos)
    return std::nullopt;
  KeyKind kind;
  kind.encrypted = text.find("ENCRYPTED") != text.npos;
  if (text.find("BEGIN RSA PRIVATE") != text.npos) kind.type = "ssh-rsa";
  if (text.find("BEGIN DSA PRIVATE") != text.npos) kind.type = "ssh-dss";
  return kind;
}

std::vector<Identity> read_identities(const std::vector<std::string>& files) {
  std::vector<Identity> identities;
  for (const std::string& file : files) {
    std::optional<KeyKind> kind = kind_of_key(read_file(file));
    if (!kind) continue;
    if (kind->public_part.empty()) {
      kind->public_part = public_part_of(read_file(file + ".pub"));
      if (kind->type.empty()) kind->type = SshReader(kind->public_part).text();
    }
    bool certified = ::access((file + "-cert.pub").c_str(), R_OK) == 0;
    identities.push_back({file, std::move(*kind), certified});
  }
  return identities;
}

bool can_sign(std::string_view type) {
  return type == "ssh-ed25519" || type == "ecdsa-sha2-nistp256" || type == "ecdsa-sha2-nistp384" ||
         type == "ecdsa-sha2-nistp521";
}

std::string read_file(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  std::string text(max_file, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(file.bad() ? 0 : static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace tenkai::ssh
