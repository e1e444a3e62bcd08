// What a profile comes to when its daemons are set: the arguments of daemons() that it
// stands for, and how they are launched. What ssh_config() and the like say in R is one, too. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "launcher/profile/profiles.h"
#include "launcher/profile/scale_rules.h"

namespace tenkai {

struct Deployment {
  using Options = std::map<std::string, std::vector<std::string>>;

  std::string profile;
  std::vector<std::string> warnings;  // of the files that it comes from, for the user
  std::string daemons;                // how many; empty: not said
  std::string url;                    // where they connect; empty: on this machine
  std::string ports;                  // those that may be listened at, where `url` has port 0
  std::string retries;                // as parse_retries() reads it: "2,oom=1:mem=x2"
  // Arguments of daemon(): idletime and walltime in ms, maxtasks.
  std::vector<std::pair<std::string, std::string>> limits;
  std::optional<std::uint64_t> memory;  // bytes that each daemon may have
  // The launcher; empty: daemons are started here, or, where there is a URL, by hand,
  std::string plugin;
  bool here = false;  // unless the profile itself says `launcher: local`
  std::string rscript = "Rscript";
  std::string credential = "stdin";  // or "file"
  bool one_by_one = false;           // each daemon by a command of its own, without agent
  std::optional<std::size_t> chunk;  // of batch systems: daemons for each agent, 0: as many as is sensible
  Options options;                   // for the plugin, of all
  std::vector<Options> each;         // one for each machine; empty: all alike
  std::size_t most = 0;              // daemons, by the site's cap; 0: any number
  std::optional<ScaleRules> scale;   // in place of `daemons`, and of the limit idletime

  bool operator==(const Deployment&) const = default;
};

// `address_of` tells the address of a network interface, or why there is none.
using AddressOf = std::function<Result<std::string>(const std::string& interface)>;
Result<Deployment> deploy(const Profile& profile, const Values& caps, const AddressOf& address_of);

// As lines of base/lines.h, and back: parse_deployment(to_lines(deployment)) is `deployment` again. The
// keys: profile, warning, daemons, url, ports, retries, limit=NAME=VALUE, memory, here, plugin, rscript,
// credential, form, chunk, option=NAME=VALUE, each= (what follows is of one machine), most; scale_min,
// scale_max, scale_backlog, scale_idle and scale_pace (ms). R writes them for ssh_config() and the like.
std::string to_lines(const Deployment& deployment);
Result<Deployment> parse_deployment(std::string_view text);

// Whether a site allows so many daemons: "the site allows 2 daemons for a profile, not 3 (…)".
Result<Done> check_cap(const Deployment& deployment, std::size_t daemons);

// The path that a value names: from the folder of its file; a name without a folder that is
// not there may be that of a template of the installation, and stays.
std::string path_from(const Value& value);

// The first address of an interface of this machine, IPv4 before IPv6.
Result<std::string> address_of_interface(const std::string& name);

}  // namespace tenkai
