#include "plugins/ssh/choice.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tenkai::ssh {
namespace {

bool is_usable(const Identity& identity) {
  // Where the kind of a key cannot be told, libssh2 may still know what to do with it.
  return !identity.kind.encrypted && (identity.kind.type.empty() || can_sign(identity.kind.type));
}

bool is_ours(const KnownKey& key) { return key.mark == KnownKey::Mark::none && can_sign(key.type); }

// Why libssh2 cannot do it; empty if it can.
std::string obstacle(const Facts& facts) {
  const HostSettings& settings = facts.settings;
  if (settings.has_proxy) return "the way leads over a jump host";
  if (facts.has_control_socket) return "a ControlMaster holds a connection";
  if (settings.has_token) return "a token holds the key (PKCS11Provider)";
  bool certified = std::any_of(facts.identities.begin(), facts.identities.end(),
                               [](const Identity& identity) { return identity.has_certificate; });
  if (settings.has_certificate || certified) return "a certificate goes with the key";
  bool has_authority = std::any_of(facts.known.begin(), facts.known.end(),
                                   [](const KnownKey& key) { return key.mark == KnownKey::Mark::authority; });
  if (has_authority) return "the host's key is certified by an authority (@cert-authority)";
  if (!facts.known.empty() && std::none_of(facts.known.begin(), facts.known.end(), is_ours))
    return "of the host's keys only one that libssh2 cannot check is known (RSA)";
  if (facts.has_agent || std::any_of(facts.identities.begin(), facts.identities.end(), is_usable)) return {};
  if (settings.gssapi && facts.has_ticket)
    return "there is a Kerberos ticket, and no key that libssh2 can use";
  if (!facts.identities.empty())
    return "libssh2 can use none of the keys (RSA, a token's, or with a passphrase)";
  return {};
}

bool is_socket(const std::string& path) {
  struct stat status {};
  return !path.empty() && ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

bool has_ticket() {
  const char* cache = std::getenv("KRB5CCNAME");
  if (cache != nullptr && *cache != '\0') return true;
  return ::access(("/tmp/krb5cc_" + std::to_string(::getuid())).c_str(), R_OK) == 0;
}

}  // namespace

Choice choose_back_end(const Facts& facts) {
  if (facts.client_is_forced) return {true, "it was asked for"};
  if (!facts.has_libssh2) return {true, "this program was built without libssh2"};
  if (!facts.has_client) return {false, "there is no OpenSSH client"};
  if (facts.client_has_args) return {true, "arguments were given for it"};
  std::string why = obstacle(facts);
  if (!why.empty()) return {true, why};
  return {false, {}};
}

Facts gather_facts(const HostSettings& settings) {
  Facts facts;
  facts.settings = settings;
  facts.identities = read_identities(settings.identities);
  std::string name = settings.host_key_alias.empty() ? known_name(settings.host, settings.port)
                                                     : known_name(settings.host_key_alias, 22);
  for (const std::string& file : settings.known_hosts) {
    for (KnownKey& key : known_keys(read_file(file), name)) facts.known.push_back(std::move(key));
  }
  facts.has_agent = is_socket(settings.agent);
  facts.has_ticket = has_ticket();
  facts.has_control_socket = is_socket(settings.control_path);
  return facts;
}

}  // namespace tenkai::ssh
