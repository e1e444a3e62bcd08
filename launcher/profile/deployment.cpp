#include "launcher/profile/deployment.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "launcher/profile/retries.h"

namespace tenkai {
namespace {

// A program of this machine is run without a shell.
std::string in_home(const std::string& text) {
  const char* home = std::getenv("HOME");
  return home != nullptr && text.starts_with("~/") ? home + text.substr(1) : text;
}

std::string milliseconds_of(const std::string& text) {
  return std::to_string(parse_duration(text).value_or(std::chrono::milliseconds(0)).count());
}

// No URL is said: every interface, or the one that is named, by WebSocket, because then
// one port does for all daemons.
Result<std::string> make_url(const Profile& profile, const AddressOf& address_of) {
  if (const Value* url = profile.find("url")) return url->text();
  std::string scheme = profile.text("scheme");
  bool encrypted = parse_flag(profile.text("tls")).value_or(true);
  if (scheme.empty()) scheme = encrypted ? "wss" : "ws";
  std::string host;
  if (const Value* interface = profile.find("interface")) {
    Result<std::string> address = address_of(interface->text());
    if (!address) return Error{to_string(interface->place) + ": " + address.error().message};
    host = address->find(':') == std::string::npos ? *address : "[" + *address + "]";
  }
  std::optional<PortRange> range = parse_ports(profile.text("port"));
  bool one = range && range->first == range->last;
  return scheme + "://" + host + ":" + (one ? std::to_string(range->first) : "0");
}

std::string ports_of(const Profile& profile, const Values& caps) {
  std::optional<PortRange> range = parse_ports(profile.text("port"));
  if (range && range->first != range->last) return profile.text("port");
  auto cap = caps.find("ports");
  return range || cap == caps.end() ? std::string() : cap->second.text();
}

std::vector<std::pair<std::string, std::string>> limits_of(const Profile& profile) {
  std::vector<std::pair<std::string, std::string>> limits;
  for (std::string name : {"idletime", "walltime"}) {
    // Daemons that went by themselves would be launched again.
    if (name == "idletime" && profile.scales()) continue;
    std::string text = profile.text("limits." + name);
    if (!text.empty()) limits.emplace_back(name, milliseconds_of(text));
  }
  if (std::string most = profile.text("limits.maxtasks"); !most.empty())
    limits.emplace_back("maxtasks", most);
  return limits;
}

// What stands below these sections, under the same names.
Deployment::Options options_below(const Profile& profile, const std::vector<std::string>& sections) {
  Deployment::Options options;
  auto is_below = [&sections](const std::string& path) {
    return std::any_of(sections.begin(), sections.end(), [&path](const std::string& section) {
      return path == section || path.starts_with(section + ".");
    });
  };
  for (const auto& [path, value] : profile.values) {
    if (!is_below(path)) continue;
    options[path] = value.texts;
    if (path.ends_with(".template")) options[path] = {path_from(value)};
    if (path == "mpi.program") options[path] = {in_home(value.text())};
  }
  return options;
}

void by_ssh(const Profile& profile, Deployment& deployment) {
  auto add = [&](const std::string& path, const std::string& option) {
    if (const Value* value = profile.find(path)) deployment.options[option] = {in_home(value->text())};
  };
  add("ssh.client", "client");
  add("ssh.config", "config");
  auto timeout = parse_duration(profile.text("ssh.timeout")).value_or(std::chrono::seconds(10));
  deployment.options["timeout"] = {std::to_string(std::max<long long>(1, timeout.count() / 1000))};
  if (parse_flag(profile.text("ssh.tunnel")).value_or(false)) deployment.options["tunnel"] = {"1"};
  if (const Value* remotes = profile.find("ssh.remotes")) {
    for (const std::string& remote : remotes->texts) deployment.each.push_back({{"remote", {remote}}});
  }
}

void by_command(const Profile& profile, Deployment& deployment) {
  deployment.one_by_one = true;
  deployment.credential = "file";
  deployment.options["program"] = {profile.text("command.program")};
  const Value* args = profile.find("command.args");
  deployment.options["args"] = args != nullptr ? args->texts : std::vector<std::string>{"."};
  if (!parse_flag(profile.text("command.quote")).value_or(true)) deployment.options["quote"] = {"0"};
}

void by_slurm(const Profile& profile, const Values& caps, Deployment& deployment) {
  deployment.credential = "file";
  deployment.chunk = parse_count(profile.text("slurm.array-chunk")).value_or(0);
  deployment.options.merge(options_below(profile, {"slurm"}));
  if (auto cap = caps.find("submissions-per-minute"); cap != caps.end()) {
    deployment.options["caps.submissions-per-minute"] = {cap->second.text()};
  }
}

ScaleRules scale_of(const Profile& profile, const Values& caps) {
  using std::chrono::milliseconds;
  auto count = [&profile](std::string_view path) {
    return static_cast<std::size_t>(parse_count(profile.text(path)).value_or(0));
  };
  ScaleRules rules;
  rules.min = count("scale.min");
  rules.max = count("scale.max");
  rules.backlog = parse_number(profile.text("scale.backlog")).value_or(1);
  rules.idle = parse_duration(profile.text("scale.idle")).value_or(rules.idle);
  rules.chunk = std::max<std::size_t>(count("slurm.array-chunk"), 1);
  if (auto cap = caps.find("submissions-per-minute"); cap != caps.end()) {
    std::uint64_t each_minute = std::max<std::uint64_t>(parse_count(cap->second.text()).value_or(1), 1);
    rules.pace = std::max(rules.pace, milliseconds(60'000 / each_minute + 1));
  }
  return rules;
}

// Each process is an agent of one daemon, and reads its credential itself.
void by_mpi(const Profile& profile, Deployment& deployment) {
  deployment.credential = "file";
  deployment.chunk = 1;
  deployment.options.merge(options_below(profile, {"mpi"}));
}

}  // namespace

std::string path_from(const Value& value) {
  std::filesystem::path path(value.text());
  if (path.is_absolute() || value.text().starts_with('~')) return value.text();
  // A name without a folder may be one of the templates of the installation.
  std::filesystem::path beside = std::filesystem::path(value.place.file).parent_path() / path;
  std::error_code ignored;
  if (!path.has_parent_path() && !std::filesystem::exists(beside, ignored)) return value.text();
  return std::filesystem::absolute(beside, ignored).string();
}

Result<Deployment> deploy(const Profile& profile, const Values& caps, const AddressOf& address_of) {
  Deployment deployment;
  deployment.profile = profile.name;
  if (profile.scales()) deployment.scale = scale_of(profile, caps);
  else deployment.daemons = profile.text("daemons");
  deployment.retries = retries_of(profile);
  deployment.limits = limits_of(profile);
  if (auto cap = caps.find("daemons"); cap != caps.end()) {
    deployment.most = static_cast<std::size_t>(parse_count(cap->second.text()).value_or(0));
  }
  std::string launcher = profile.text("launcher");
  bool here = launcher == "local";
  bool says_where = profile.find("url") != nullptr || profile.find("interface") != nullptr ||
                    profile.find("scheme") != nullptr || profile.find("port") != nullptr;
  if (!here || says_where) {
    Result<std::string> url = make_url(profile, address_of);
    if (!url) return url.error();
    deployment.url = *url;
    deployment.ports = ports_of(profile, caps);
  }
  deployment.rscript = profile.text("environment.rscript");
  deployment.memory = parse_memory(profile.text("limits.memory"));
  deployment.here = here && profile.find("launcher") != nullptr;
  if (here) return deployment;
  deployment.plugin = launcher;
  deployment.options = options_below(profile, {"environment", "threads", "limits.memory"});
  bool may_bring = launcher == "ssh" || launcher == "command" || launcher == "slurm";
  if (may_bring && !parse_flag(profile.text("bring")).value_or(true)) deployment.options["bring"] = {"0"};
  if (launcher == "ssh") by_ssh(profile, deployment);
  if (launcher == "command") by_command(profile, deployment);
  if (launcher == "slurm") by_slurm(profile, caps, deployment);
  if (launcher == "mpi") by_mpi(profile, deployment);
  return deployment;
}

}  // namespace tenkai
