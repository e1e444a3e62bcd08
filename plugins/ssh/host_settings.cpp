#include "plugins/ssh/host_settings.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "base/text.h"

namespace tenkai::ssh {
namespace {

// ssh itself takes 100 identities.
constexpr std::size_t max_files = 100;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// ~ and the % tokens that ssh leaves for later.
std::string expand(std::string_view path, const HostSettings& settings, const Me& me) {
  std::string expanded;
  if (path.substr(0, 2) == "~/") {
    expanded = me.home;
    path.remove_prefix(1);
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    char token = path[i] == '%' && i + 1 < path.size() ? path[++i] : '\0';
    switch (token) {
      case '\0': expanded += path[i]; break;
      case '%': expanded += '%'; break;
      case 'd': expanded += me.home; break;
      case 'h': expanded += settings.host; break;
      case 'r': expanded += settings.user; break;
      case 'u': expanded += me.name; break;
      case 'p': expanded += std::to_string(settings.port); break;
      // No file has that name, and none is looked at.
      default: expanded += {'%', token};
    }
  }
  return expanded;
}

std::string agent_of(std::string_view value, const HostSettings& settings, const Me& me) {
  if (value.empty() || value == "SSH_AUTH_SOCK") return me.agent;
  if (value == "none") return {};
  if (value.front() == '$') return environment(std::string(value.substr(1)).c_str());
  return expand(value, settings, me);
}

bool is_yes(std::string_view value) { return value == "yes" || value == "true"; }
bool is_given(std::string_view value) { return !value.empty() && value != "none"; }

}  // namespace

Me who_am_i() {
  Me me;
  // As ssh does it: the home of the password database, whatever HOME says.
  if (const passwd* entry = ::getpwuid(::getuid())) {
    me.name = entry->pw_name;
    me.home = entry->pw_dir;
  } else {
    me.name = environment("USER");
    me.home = environment("HOME");
  }
  me.agent = environment("SSH_AUTH_SOCK");
  return me;
}

Result<HostSettings> parse_settings(std::string_view output, const Me& me) {
  HostSettings settings;
  std::vector<std::string_view> identities;
  std::vector<std::string_view> known_hosts;
  std::string_view agent;
  bool has_port = false;
  for (std::string_view line : split(output, '\n')) {
    std::size_t blank = line.find(' ');
    if (blank == line.npos) continue;
    std::string_view name = line.substr(0, blank);
    std::string_view value = trim(line.substr(blank));
    if (name == "hostname") settings.host = value;
    if (name == "user") settings.user = value;
    if (name == "port") {
      settings.port = to_number<std::uint16_t>(value).value_or(0);
      has_port = settings.port != 0;
    }
    if (name == "identityfile" && value != "none" && identities.size() < max_files)
      identities.push_back(value);
    if (name == "identitiesonly") settings.identities_only = is_yes(value);
    if (name == "identityagent") agent = value;
    if (name == "hostkeyalias") settings.host_key_alias = value;
    if (name == "proxyjump" || name == "proxycommand") settings.has_proxy |= is_given(value);
    if (name == "certificatefile") settings.has_certificate |= is_given(value);
    if (name == "pkcs11provider") settings.has_token |= is_given(value);
    if (name == "gssapiauthentication") settings.gssapi = is_yes(value);
    if (name == "controlpath" && is_given(value)) settings.control_path = value;
    if (name == "knownhostscommand") settings.lenient_host_keys |= is_given(value);
    if (name == "verifyhostkeydns") settings.lenient_host_keys |= is_yes(value);
    if (name == "stricthostkeychecking") settings.lenient_host_keys |= !is_yes(value) && value != "ask";
    if (name == "userknownhostsfile" || name == "globalknownhostsfile") {
      for (std::string_view file : split(value, ' ')) {
        if (is_given(file) && known_hosts.size() < max_files) known_hosts.push_back(file);
      }
    }
  }
  if (settings.host.empty() || settings.user.empty() || !has_port)
    return Error{"ssh -G has not told host, user and port: " + printable(output)};
  for (std::string_view file : identities) settings.identities.push_back(expand(file, settings, me));
  for (std::string_view file : known_hosts) settings.known_hosts.push_back(expand(file, settings, me));
  settings.agent = agent_of(agent, settings, me);
  return settings;
}

HostSettings plain_settings(const Remote& remote, const Me& me) {
  HostSettings settings;
  settings.host = remote.host;
  settings.user = remote.user.empty() ? me.name : remote.user;
  settings.port = remote.port == 0 ? 22 : remote.port;
  settings.agent = me.agent;
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"})
    settings.identities.push_back(me.home + "/.ssh/" + name);
  settings.known_hosts = {me.home + "/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"};
  return settings;
}

}  // namespace tenkai::ssh
