#include "launcher/profile/limits.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "base/text.h"
#include "base/url.h"
#include "launcher/profile/retries.h"
#include "launcher/profile/sbatch_options.h"

namespace tenkai {
namespace {

const Value* said(const Profile* profile, const std::string& path) {
  return profile == nullptr ? nullptr : profile->find(path);
}

const Lock* lock_of(const std::vector<Lock>& locks, const std::string& profile, const std::string& path) {
  auto found = std::ranges::find_if(locks, [&](const Lock& each) { return holds(each, profile, path); });
  return found == locks.end() ? nullptr : &*found;
}

// Where a later file has turned an inheritance, if it was that.
const Value* turned_inheritance(const Profile& profile, const std::map<std::string, Profile>& all,
                                std::size_t index) {
  std::vector<std::string> line = {profile.name};
  line.insert(line.end(), profile.ancestors.begin(), profile.ancestors.end());
  for (const std::string& name : line) {
    auto found = all.at(name).values.find("inherits");
    if (found != all.at(name).values.end() && found->second.file > index) return &found->second;
  }
  return nullptr;
}

std::optional<PortRange> ports_of(const Value* value) {
  return value == nullptr ? std::nullopt : parse_ports(value->text());
}

std::optional<PortRange> port_in_url(const Value* value) {
  if (value == nullptr) return std::nullopt;
  Result<Url> url = parse_url(value->text());
  if (!url || !is_network(*url) || url->port == 0) return std::nullopt;
  return PortRange{url->port, url->port};
}

std::string at_place(const Value& value) { return "'" + value.text() + "' (" + to_string(value.place) + ")"; }

bool is_wider(const std::string& path, const Value& value, const Value& cap) {
  if (path == "ports") return !ports_of(&cap)->holds(*ports_of(&value));
  return *parse_count(value.text()) > *parse_count(cap.text());
}

// What a lock holds is not to grow by a retry that a later file asks for.
void check_growth(const Profile& profile, const std::vector<Lock>& locks, std::size_t index,
                  Problems& problems) {
  struct Growth {
    const char* factor;
    const char* grows;
  };
  for (const Growth& each : {Growth{"retries.oom.mem", "slurm.mem"},
                             {"retries.oom.mem", "slurm.mem-per-cpu"},
                             {"retries.oom.mem", "limits.memory"},
                             {"retries.time_limit.time", "slurm.time"}}) {
    const Value* factor = profile.find(each.factor);
    const Lock* lock = lock_of(locks, profile.name, each.grows);
    if (factor == nullptr || lock == nullptr || factor->file <= index || !profile.find(each.grows)) continue;
    problems.push_back({factor->place, "profiles." + profile.name + "." + each.grows + " is locked by " +
                                           to_string(lock->place) + ", and would grow by " + each.factor +
                                           "; remove it here"});
  }
}

// Scaling that cannot be done as it is said.
void check_scale(const Profile& profile, bool is_inherited, Problems& problems) {
  const Value* max = profile.find("scale.max");
  auto wrong = [&](const Value& value, const std::string& what) {
    problems.push_back({value.place, "profile '" + profile.name + "' " + what});
  };
  if (max == nullptr) {
    if (is_inherited) return;
    for (const char* path : {"scale.min", "scale.backlog", "scale.idle"}) {
      if (const Value* value = profile.find(path))
        return wrong(*value, "has " + std::string(path) + " and no scale.max; add it, like scale: {max: 50}");
    }
    return;
  }
  std::uint64_t most = *parse_count(max->text());
  if (most == 0) return wrong(*max, "has scale.max: 0, and so never a daemon; let it be at least 1");
  const Value* min = profile.find("scale.min");
  if (min != nullptr && *parse_count(min->text()) > most) {
    wrong(*min, "has scale.min " + at_place(*min) + " above scale.max " + at_place(*max) + "; change one");
  }
  const Value* chunk = profile.find("slurm.array-chunk");
  if (chunk != nullptr && *parse_count(chunk->text()) > most) {
    wrong(*max, "has scale.max " + at_place(*max) + " below slurm.array-chunk " + at_place(*chunk) +
                    ", which are launched together; change one");
  }
  if (const Value* nodes = profile.find("slurm.nodes")) {
    wrong(*nodes,
          "has slurm.nodes and scale.max, but a job of several nodes cannot be let go node by node; say "
          "slurm.array-chunk in its place, or take one back with 'nodes: ~' or 'scale: {max: ~}'");
  }
  std::string launcher = profile.text("launcher");
  if (launcher != "slurm" && !is_inherited) {
    wrong(*max,
          "has scale.max and launcher: " + launcher +
              ", where what daemons hold is not given back; use launcher: slurm, or daemons: " + max->text());
  }
}

// "B:USR1@60", "RB:USR1": to the batch shell, which hands it on.
bool is_for_batch_shell(std::string_view signal) {
  std::string_view flags = signal.substr(0, std::min(signal.find(':'), signal.size()));
  return flags.size() < signal.size() && flags.find_first_of("Bb") != flags.npos;
}

void check_slurm(const Profile& profile, bool is_inherited, Problems& problems) {
  if (const Value* options = profile.find("slurm.options")) {
    bool by_comment = profile.text("slurm.job-tag") == "comment";
    auto why = complaint_about_options(options->texts, by_comment);
    if (why) problems.push_back({options->place, *why});
  }
  const Value* signal = profile.find("slurm.signal");
  // A template of one's own may start steps.
  bool is_array = profile.find("slurm.nodes") == nullptr && profile.find("slurm.template") == nullptr;
  if (signal == nullptr || is_inherited || !is_array || is_for_batch_shell(signal->text())) return;
  problems.push_back({signal->place, "profile '" + profile.name + "' has slurm.signal: " + signal->text() +
                                         ", which Slurm tells nobody but steps, and a job array has none; "
                                         "write B:" +
                                         signal->text().substr(signal->text().find(':') + 1)});
}

// Limits at which a daemon ends before it has done anything.
void check_ends(const Profile& profile, Problems& problems) {
  for (const char* path : {"limits.idletime", "limits.walltime", "limits.maxtasks"}) {
    const Value* limit = profile.find(path);
    if (limit == nullptr || limit->text().find_first_of("123456789") != std::string::npos) continue;
    problems.push_back({limit->place, "profile '" + profile.name + "' has " + path + ": " + limit->text() +
                                          ", at which a daemon ends before its first task; leave it out "
                                          "for no limit"});
  }
}

// What is looked at by the agent of a daemon, if it has one.
void check_memory(const Profile& profile, bool is_inherited, Problems& problems) {
  constexpr std::uint64_t of_r_alone = std::uint64_t{100} << 20;
  const Value* memory = profile.find("limits.memory");
  if (memory == nullptr) return;
  auto wrong = [&](const std::string& what) {
    problems.push_back({memory->place, "profile '" + profile.name + "' " + what});
  };
  std::optional<std::uint64_t> bytes = parse_memory(memory->text());
  if (!bytes) return wrong("has limits.memory " + memory->text() + ", more than any machine has; correct it");
  if (*bytes < of_r_alone)
    return wrong("has limits.memory " + memory->text() +
                 ", and R alone takes nearly 100M; say more, with a unit, like 2G");
  if (profile.text("launcher") == "command" && !is_inherited)
    wrong(
        "has limits.memory and launcher: command, whose daemons have no agent that looks; take one back, "
        "like limits: {memory: ~}");
}

}  // namespace

void check_locks(const std::map<std::string, Profile>& now, const std::map<std::string, Profile>& before,
                 const std::vector<Lock>& locks, std::size_t index, Problems& problems) {
  for (const auto& [name, profile] : now) {
    check_growth(profile, locks, index, problems);
    auto found = before.find(name);
    const Profile* old = found == before.end() ? nullptr : &found->second;
    std::set<std::string> paths;
    for (const auto& [path, value] : profile.values) paths.insert(path);
    if (old != nullptr) {
      for (const auto& [path, value] : old->values) paths.insert(path);
    }
    for (const std::string& path : paths) {
      const Lock* lock = lock_of(locks, name, path);
      if (lock == nullptr) continue;
      std::string locked = "profiles." + name + "." + path + " is locked by " + to_string(lock->place);
      auto value = profile.values.find(path);
      if (value != profile.values.end() && value->second.file > index) {
        problems.push_back({value->second.place, locked + "; remove it here"});
        continue;
      }
      const Value* was = said(old, path);
      const Value* is = said(&profile, path);
      if (old == nullptr || (was == nullptr ? is == nullptr : is != nullptr && is->texts == was->texts))
        continue;
      const Value* turned = turned_inheritance(profile, now, index);
      const Place& place = turned == nullptr ? profile.defined.back() : turned->place;
      problems.push_back({place, locked + ", and would change by what is inherited here; inherit as before"});
    }
  }
}

Values merge_caps(const std::vector<ProfileFile>& files, Problems& problems) {
  Values caps;
  for (const ProfileFile& file : files) {
    for (const auto& [path, value] : file.caps) {
      auto [before, is_new] = caps.try_emplace(path, value);
      if (value.is_null || is_new) {
        if (is_new && value.is_null) caps.erase(before);
        continue;
      }
      if (is_wider(path, value, before->second)) {
        problems.push_back({value.place, "this cap of " + path + " is wider than " +
                                             at_place(before->second) + "; a later file can only narrow it"});
      } else {
        before->second = value;
      }
    }
  }
  return caps;
}

void check_caps(const Profile& profile, const Values& caps, Problems& problems) {
  auto over = [&](const Value& value, const Value& cap, const std::string& what) {
    problems.push_back({value.place, what + " of profile '" + profile.name +
                                         "' is beyond the site's cap of " + at_place(cap) +
                                         "; keep within it, or ask the site"});
  };
  const Value* daemons = profile.find("daemons");
  auto cap = caps.find("daemons");
  if (daemons != nullptr && cap != caps.end() && is_wider("daemons", *daemons, cap->second)) {
    over(*daemons, cap->second, "the number of daemons");
  }
  const Value* most = profile.find("scale.max");
  if (most != nullptr && cap != caps.end() && is_wider("daemons", *most, cap->second)) {
    over(*most, cap->second, "scale.max");
  }
  auto ports = caps.find("ports");
  if (ports == caps.end()) return;
  PortRange allowed = *ports_of(&ports->second);
  auto check_port = [&](const Value* value, std::optional<PortRange> wanted, const std::string& what) {
    // Port 0 is chosen later, within the cap.
    if (wanted && wanted->last != 0 && !allowed.holds(*wanted)) over(*value, ports->second, what);
  };
  check_port(profile.find("port"), ports_of(profile.find("port")), "the port");
  check_port(profile.find("url"), port_in_url(profile.find("url")), "the port in the url");
}

void check_sense(const Profile& profile, bool is_inherited, Problems& problems) {
  const Value* url = profile.find("url");
  for (const char* path : {"interface", "scheme", "port"}) {
    const Value* other = profile.find(path);
    if (url == nullptr || other == nullptr) continue;
    problems.push_back({other->place, "profile '" + profile.name + "' has a url, " + at_place(*url) +
                                          ", and " + path + " as well; take one back with '" + path +
                                          ": ~' or 'url: ~'"});
  }
  const Value* tls = profile.find("tls");
  const Value* scheme = url != nullptr ? url : profile.find("scheme");
  if (tls != nullptr && scheme != nullptr) {
    bool wants = *parse_flag(tls->text());
    bool has = scheme->text().starts_with("wss") || scheme->text().starts_with("tls+");
    if (wants != has) {
      problems.push_back({tls->place, "profile '" + profile.name + "' says tls: " + tls->text() + " and " +
                                          at_place(*scheme) + ", which contradict each other; change one"});
    }
  }
  const Value* mem = profile.find("slurm.mem");
  const Value* per_cpu = profile.find("slurm.mem-per-cpu");
  if (mem != nullptr && per_cpu != nullptr) {
    problems.push_back(
        {per_cpu->place, "profile '" + profile.name + "' has slurm.mem, " + at_place(*mem) +
                             ", and slurm.mem-per-cpu as well, of which Slurm takes one; take one "
                             "back with 'mem: ~' or 'mem-per-cpu: ~'"});
  }
  check_scale(profile, is_inherited, problems);
  check_memory(profile, is_inherited, problems);
  check_ends(profile, problems);
  check_retries(profile, is_inherited, problems);
  check_slurm(profile, is_inherited, problems);
  if (is_inherited) return;
  const Value* launcher = profile.find("launcher");
  if (launcher == nullptr) return;
  auto missing = [&](const std::string& path, const std::string& example) {
    problems.push_back({launcher->place, "profile '" + profile.name + "' has launcher: " + launcher->text() +
                                             " and no " + path + "; add something like " + example});
  };
  if (launcher->text() == "ssh" && profile.find("ssh.remotes") == nullptr) {
    missing("ssh.remotes", "ssh: {remotes: [ssh://node1]}");
  }
  if (launcher->text() != "command") return;
  if (profile.find("command.program") == nullptr)
    missing("command.program", "command: {program: srun, args: [.]}");
  const Value* args = profile.find("command.args");
  if (args != nullptr && std::ranges::count(args->texts, ".") == 0) {
    problems.push_back(
        {args->place, "no argument of the command is '.', which stands for the daemon's; add it"});
  }
}

}  // namespace tenkai
