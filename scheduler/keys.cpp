#include "scheduler/keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "wire/private_file.h"

namespace tenkai {
namespace {

constexpr std::size_t max_file = 64 * 1024;
// The key never leaves this process, or its file, and is known by its pin: an end
// date keeps nobody out, but daemons of a session that lives for weeks.
constexpr auto long_life = std::chrono::hours(24 * 365);

std::vector<std::string> hosts_of(const std::vector<Url>& urls) {
  std::set<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0') hosts.insert(name);
  std::vector<std::string> ordered;
  for (const Url& url : urls) {
    if (!is_encrypted(url) || url.host.empty()) continue;
    if (std::find(ordered.begin(), ordered.end(), url.host) == ordered.end()) ordered.push_back(url.host);
    hosts.erase(url.host);
  }
  ordered.insert(ordered.end(), hosts.begin(), hosts.end());
  return ordered;
}

// A certificate is no secret, so its file may be anybody's; the key in it is one.
Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{"cannot read the file " + path + " (tls): " + std::strerror(errno)};
  std::string text(max_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_file)
    return Error{"the file " + path + " (tls) is too large for certificates and a key"};
  return text;
}

bool others_can_read(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 && (file.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

bool exists(const std::string& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 || errno != ENOENT;
}

std::string number(std::size_t value) { return " " + std::to_string(value); }

}  // namespace

Result<Done> Keys::prepare(const Setup& setup, const std::vector<Url>& urls,
                           std::vector<std::string>& notes) {
  bool network = std::any_of(urls.begin(), urls.end(), is_network);
  bool encrypted = std::any_of(urls.begin(), urls.end(), is_encrypted);
  if (!network) return Done{};
  if (!setup.credential_file.empty()) {
    Result<Done> kept = read_kept(setup.credential_file, hosts_of(urls));
    if (!kept) return kept;
  }
  if (!encrypted) return Done{};
  if (!setup.tls_pem.empty() || !setup.tls_file.empty()) return read_given(setup, notes);
  if (identity_) return Done{};
  Result<TlsIdentity> made = TlsIdentity::make(hosts_of(urls), std::chrono::system_clock::now(), long_life);
  if (!made) return made.error();
  identity_ = std::make_shared<const TlsIdentity>(std::move(*made));
  return Done{};
}

Result<Done> Keys::read_given(const Setup& setup, std::vector<std::string>& notes) {
  SecretText pem(0);
  if (setup.tls_file.empty()) {
    pem.text = setup.tls_pem;
  } else {
    Result<std::string> read = read_text(setup.tls_file);
    if (!read) return read.error();
    pem.text = std::move(*read);
    if (others_can_read(setup.tls_file)) {
      notes.push_back("others can read the private key in " + setup.tls_file + ": chmod 600 " +
                      setup.tls_file);
    }
  }
  auto now = std::chrono::system_clock::now();
  Result<TlsIdentity> given = TlsIdentity::load(pem.text, setup.tls_password, now);
  if (!given) return with_code(Code::invalid_argument, "tls: " + given.error().message);
  identity_ = std::make_shared<const TlsIdentity>(std::move(*given));
  return Done{};
}

// The file holds a credential line, whose token all others are derived from, and
// the key and certificate.
Result<Done> Keys::make_kept(const std::string& path, const std::vector<std::string>& hosts) {
  Result<TlsIdentity> made = TlsIdentity::make(hosts, std::chrono::system_clock::now(), long_life);
  Result<Secret> token = Secret::random();
  if (!made) return made.error();
  if (!token) return token.error();
  Result<std::string> pem = made->private_pem();
  if (!pem) return pem.error();
  Credential kept;
  kept.token = token->copy();
  SecretText text(max_file);
  std::string line = encode(kept);
  text.text.append(line).append("\n").append(*pem);
  wipe(line);
  wipe(*pem);
  Result<Done> written = write_private_file(path, text.text);
  if (!written) return written;
  kept_ = std::move(*token);
  identity_ = std::make_shared<const TlsIdentity>(std::move(*made));
  return Done{};
}

Result<Done> Keys::read_kept(const std::string& path, const std::vector<std::string>& hosts) {
  auto now = std::chrono::system_clock::now();
  if (!exists(path)) {
    Result<Done> made = make_kept(path, hosts);
    // Where another session has made it in this moment, its file is the one.
    if (made || !exists(path)) return made;
  }
  Result<std::string> read = read_private_file(path);
  if (!read) return read.error();
  std::size_t end = read->find('\n');
  Result<Credential> kept = parse_credential(std::string_view(*read).substr(0, end));
  Result<TlsIdentity> shown = TlsIdentity::load(*read, {}, now);
  wipe(*read);
  std::string remedy = "; remove " + path + " and a new one is made";
  if (!kept)
    return Error{"the file " + path + " is not what daemons(credential =) has written: " +
                 kept.error().message + "; give the path of another file, or of one that is not there yet"};
  if (!shown)
    return Error{"the certificate in " + path + " cannot be used: " + shown.error().message + remedy};
  kept_ = std::move(kept->token);
  identity_ = std::make_shared<const TlsIdentity>(std::move(*shown));
  return Done{};
}

Result<std::string> Keys::line_for(std::size_t slot, const Url& url, bool repeatable) {
  std::optional<GrantId> fresh = grants_.fresh_for(slot);
  if (fresh) return line(*fresh, {to_string(url)});
  Result<GrantId> made = issue_for(slot, repeatable);
  if (!made) return made.error();
  return line(*made, {to_string(url)});
}

Result<Done> Keys::expect(std::size_t slots) {
  for (std::size_t i = 0; kept_ && i < slots; ++i) {
    Result<GrantId> made = issue_for(i, true);
    if (!made) return made.error();
  }
  return Done{};
}

Result<GrantId> Keys::issue_for(std::size_t slot, bool repeatable) {
  Grants::Terms terms;
  terms.slots = {slot};
  terms.uses = repeatable || kept_ ? 0 : 1;
  // What saisei() has replaced must not come back from the file.
  if (!kept_ || grants_.was_voided(slot)) return grants_.issue(std::move(terms));
  CredentialId id{};
  Secret named = derive(*kept_, {}, "tenkai kept id" + number(slot));
  std::memcpy(id.data(), named.data(), id.size());
  return grants_.issue(std::move(terms), id, derive(*kept_, {}, "tenkai kept token" + number(slot)));
}

Result<Issued> Keys::line_for_job(const std::vector<std::size_t>& slots, const std::vector<Url>& urls,
                                  std::uint32_t ranks, std::uint32_t uses) {
  Grants::Terms terms;
  terms.slots = slots;
  terms.ranks = ranks;
  terms.uses = uses;
  terms.is_shown = false;
  Result<GrantId> grant = grants_.issue(std::move(terms));
  if (!grant) return grant.error();
  std::vector<std::string> texts;
  for (const Url& url : urls) texts.push_back(to_string(url));
  Result<std::string> made = line(*grant, texts);
  if (!made) return made.error();
  return Issued{*grant, std::move(*made)};
}

Result<std::string> Keys::line(GrantId grant, const std::vector<std::string>& urls) const {
  Credential credential = grants_.credential(grant);
  if (identity_) credential.pin = identity_->pin();
  // A long list can go beside it; it is the launcher that knows who dials where.
  credential.urls = urls;
  if (!check_credential(credential)) credential.urls.clear();
  return encode(credential);
}

}  // namespace tenkai
