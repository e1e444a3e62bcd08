#include "plugins/ssh/known_hosts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "plugins/ssh/ssh_text.h"

namespace tenkai::ssh {
namespace {

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

// '*' and '?' as in OpenSSH. A '*' that turns out too short is made longer by one.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = pattern.npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p, ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = n;
    } else if (star != pattern.npos) {
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// |1|salt|hash: HMAC-SHA1 of the name, with the salt as its key.
bool matches_hash(std::string_view hashed, std::string_view name) {
  std::vector<std::string_view> parts = split(hashed, '|');
  if (parts.size() != 4 || parts[1] != "1") return false;
  std::string salt = from_base64(parts[2]);
  unsigned char digest[SHA_DIGEST_LENGTH];
  unsigned int size = 0;
  if (HMAC(EVP_sha1(), salt.data(), static_cast<int>(salt.size()),
           reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest, &size) == nullptr)
    return false;
  return to_base64({reinterpret_cast<const char*>(digest), size}) == parts[3];
}

bool speaks_of(std::string_view patterns, std::string_view name) {
  if (patterns.substr(0, 1) == "|") return matches_hash(patterns, name);
  bool found = false;
  for (std::string_view pattern : split(patterns, ',')) {
    bool negated = pattern.substr(0, 1) == "!";
    if (!matches(lower(pattern.substr(negated ? 1 : 0)), name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = trim(line)).empty() && words.size() < 4) {
    std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

}  // namespace

std::string known_name(std::string_view host, std::uint16_t port) {
  std::string name = lower(host);
  return port == 22 ? name : "[" + name + "]:" + std::to_string(port);
}

std::vector<KnownKey> known_keys(std::string_view text, std::string_view name) {
  std::vector<KnownKey> keys;
  for (std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> words = words_of(line);
    if (words.empty() || words[0].front() == '#') continue;
    KnownKey key;
    if (words[0].front() == '@') {
      if (words[0] == "@cert-authority") key.mark = KnownKey::Mark::authority;
      if (words[0] == "@revoked") key.mark = KnownKey::Mark::revoked;
      if (key.mark == KnownKey::Mark::none) continue;
      words.erase(words.begin());
    }
    if (words.size() < 3 || !speaks_of(words[0], lower(name))) continue;
    key.type = words[1];
    key.key = words[2];
    keys.push_back(std::move(key));
  }
  return keys;
}

HostKeyVerdict judge_host_key(const std::vector<KnownKey>& known, std::string_view key) {
  std::string shown = to_base64(key);
  auto verdict = HostKeyVerdict::unknown;
  for (const KnownKey& each : known) {
    bool same = each.key == shown;
    if (same && each.mark == KnownKey::Mark::revoked) return HostKeyVerdict::revoked;
    if (each.mark != KnownKey::Mark::none) continue;
    if (same) verdict = HostKeyVerdict::known;
    if (!same && each.type == type_of_key(key) && verdict == HostKeyVerdict::unknown)
      verdict = HostKeyVerdict::changed;
  }
  return verdict;
}

std::string type_of_key(std::string_view key) { return std::string(SshReader(key).text()); }

std::string fingerprint(std::string_view key) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest);
  std::string text = to_base64({reinterpret_cast<const char*>(digest), sizeof digest});
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return "SHA256:" + text;
}

}  // namespace tenkai::ssh
