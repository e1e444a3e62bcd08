#include "launcher/profile/file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "launcher/profile/meant.h"
#include "launcher/profile/nearest.h"

namespace tenkai {
namespace {

constexpr std::size_t max_profile_name = 64;

bool is_profile_name(std::string_view name) {
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  auto is_part = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= max_profile_name && is_letter(name.front()) &&
         std::ranges::all_of(name, is_part);
}

std::string did_you_mean(const std::string& meant, const std::vector<std::string>& known) {
  if (!meant.empty()) return "did you mean '" + meant + "'?";
  return "known are " + join(known, ", ");
}

class Reader {
 public:
  Reader(ProfileFile& file, std::size_t index, Problems& problems)
      : file_(file), index_(index), problems_(problems) {}

  void read(const YamlNode& root, bool is_site) {
    const std::vector<std::string> known = {"profiles", "locks", "caps"};
    if (!is_mapping(root, "the file", "profiles:")) return;
    for (const YamlNode& item : root.items) {
      if (item.key == "profiles") read_profiles(item);
      else if (item.key == "locks" || item.key == "caps") read_site_part(item, is_site);
      else {
        complain(item.key_at, "there is no '" + printable(item.key, 60) + "' at the top of a file; " +
                                  did_you_mean(nearest(item.key, known), known));
      }
    }
  }

 private:
  Place place(const Position& at) const { return {file_.name, at}; }
  void complain(const Position& at, const std::string& message) { problems_.push_back({place(at), message}); }

  // Nothing at all is an empty mapping.
  bool is_mapping(const YamlNode& node, const std::string& what, const std::string& example) {
    if (node.kind == YamlNode::Kind::mapping) return true;
    if (node.kind != YamlNode::Kind::null) {
      complain(node.at, what + " must be a mapping, not " + std::string(name_of(node.kind)) +
                            "; begin it with a line '" + example + "', and indent what belongs to it");
    }
    return false;
  }

  void read_profiles(const YamlNode& profiles) {
    if (!is_mapping(profiles, "profiles", "NAME:")) return;
    for (const YamlNode& profile : profiles.items) {
      if (!is_profile_name(profile.key)) {
        complain(profile.key_at,
                 "'" + printable(profile.key, 60) +
                     "' is no name of a profile; write a letter and up to 63 letters, digits, '-' "
                     "and '_'");
        continue;
      }
      ProfileFile::Part& part = file_.profiles[profile.key];
      part.place = place(profile.key_at);
      if (is_mapping(profile, "a profile", "launcher: ssh"))
        read_section(profile, profile_keys(), "", part.values);
    }
  }

  void read_site_part(const YamlNode& node, bool is_site) {
    if (!is_site) {
      complain(node.key_at, node.key +
                                " belong into a site's file, and this is none; remove them (the site's are "
                                "etc/tenkai.yaml of the installation and /etc/tenkai/*.yaml)");
      return;
    }
    if (node.key == "locks") return read_locks(node);
    if (is_mapping(node, "caps", "daemons: 1000")) read_section(node, cap_keys(), "", file_.caps);
  }

  std::string with_new_name(const Position& at, const std::string& path) {
    std::string_view now = new_name_of(path);
    if (now.empty()) return path;
    file_.warnings.push_back({place(at), path + " is called " + std::string(now) +
                                             " now; rename it, the next version does not know the old name"});
    return std::string(now);
  }

  void read_section(const YamlNode& section, ProfileKeys keys, const std::string& path, Values& into) {
    for (const YamlNode& item : section.items) {
      std::string below = path.empty() ? item.key : path + "." + item.key;
      if (item.key.find('.') != item.key.npos) {
        complain(item.key_at,
                 "there is no key '" + printable(below, 100) +
                     "'; a '.' stands for a mapping, write 'slurm:' and below it 'partition: …'");
        continue;
      }
      below = with_new_name(item.key_at, below);
      if (const ProfileKey* key = find_key(keys, below)) read_value(item, *key, into[below]);
      else if (is_short_form(item, below, keys)) read_short_form(item, below, keys, into);
      else if (is_section(keys, below)) {
        if (is_mapping(item, below,
                       names_in(keys, below).empty() ? "NAME: value" : names_in(keys, below)[0] + ": …")) {
          read_section(item, keys, below, into);
        }
      } else {
        complain(item.key_at,
                 "there is no key '" + printable(below, 100) + "'; " + meant_by(keys, path, item.key));
      }
    }
  }

  // `oom: 1` stands for `oom: {times: 1}`, and `oom: ~` takes all of it back.
  static bool is_short_form(const YamlNode& node, const std::string& path, ProfileKeys keys) {
    return node.kind != YamlNode::Kind::mapping && find_key(keys, path + ".times") != nullptr;
  }

  void read_short_form(const YamlNode& node, const std::string& path, ProfileKeys keys, Values& into) {
    for (const std::string& name : names_in(keys, path)) {
      std::string below = path + "." + name;
      if (name == "times" || node.kind == YamlNode::Kind::null)
        read_value(node, *find_key(keys, below), into[below]);
    }
  }

  void read_value(const YamlNode& node, const ProfileKey& key, Value& value) {
    value.place = place(node.at);
    value.file = index_;
    value.is_null = node.kind == YamlNode::Kind::null;
    if (value.is_null) return;
    // One text is a list of one.
    bool is_list_here = node.kind == YamlNode::Kind::sequence && is_list(key.type);
    if (node.kind != YamlNode::Kind::scalar && !is_list_here) {
      complain(node.at, std::string(key.path) + " must be " + describe(key) + ", not " +
                            std::string(name_of(node.kind)) + "; write it like " + std::string(key.example));
      value.is_null = true;
      return;
    }
    if (!is_list_here) return read_text(node, key, value);
    for (const YamlNode& item : node.items) {
      if (item.kind == YamlNode::Kind::scalar) read_text(item, key, value);
      else {
        complain(item.at, std::string(key.path) + " must be " + describe(key) + ", and here is " +
                              std::string(name_of(item.kind)) + "; put it in quotes if it is a text");
      }
    }
  }

  void read_text(const YamlNode& node, const ProfileKey& key, Value& value) {
    if (auto complaint = complaint_about(key, node.text)) complain(node.at, *complaint);
    else value.texts.push_back(node.text);
    if (value.texts.empty() && !is_list(key.type)) value.is_null = true;
  }

  void read_locks(const YamlNode& locks) {
    if (locks.kind == YamlNode::Kind::null) return;
    if (locks.kind != YamlNode::Kind::sequence) {
      return complain(locks.at, "locks must be a list, such as [profiles.gpu.slurm.partition]");
    }
    for (const YamlNode& item : locks.items) read_lock(item);
  }

  void read_lock(const YamlNode& item) {
    std::vector<std::string_view> parts = split(item.text, '.');
    bool names_profile =
        parts.size() >= 2 && parts[0] == "profiles" && (parts[1] == "*" || is_profile_name(parts[1]));
    if (!names_profile) {
      return complain(item.at,
                      "'" + printable(item.text, 100) +
                          "' is nothing that can be locked; write profiles.NAME.KEY, or profiles.*.KEY");
    }
    Lock lock;
    lock.profile = parts[1];
    std::size_t head = parts[0].size() + parts[1].size() + 2;
    if (parts.size() > 2) lock.path = with_new_name(item.at, item.text.substr(head));
    if (!lock.path.empty() && find_key(profile_keys(), lock.path) == nullptr &&
        !is_section(profile_keys(), lock.path)) {
      std::string name(parts.back());
      std::size_t dot = lock.path.rfind('.');
      return complain(
          item.at, "there is no key '" + printable(lock.path, 100) + "' to lock; " +
                       meant_by(profile_keys(), dot == lock.path.npos ? "" : lock.path.substr(0, dot), name));
    }
    lock.place = place(item.at);
    file_.locks.push_back(std::move(lock));
  }

  ProfileFile& file_;
  std::size_t index_;
  Problems& problems_;
};

}  // namespace

bool holds(const Lock& lock, std::string_view profile, std::string_view path) {
  if (lock.profile != "*" && lock.profile != profile) return false;
  return lock.path.empty() || path == lock.path ||
         (path.starts_with(lock.path) && path.substr(lock.path.size()).starts_with('.'));
}

ProfileFile read_profile_file(const std::string& name, std::string_view text, bool is_site, std::size_t index,
                              Problems& problems) {
  ProfileFile file;
  file.name = name;
  std::optional<YamlNode> root = read_yaml(name, text, problems);
  if (root) Reader(file, index, problems).read(*root, is_site);
  return file;
}

}  // namespace tenkai
