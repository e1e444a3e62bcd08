#include "launcher/profile/profiles.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "launcher/profile/limits.h"
#include "launcher/profile/nearest.h"

namespace tenkai {
namespace {

using Parts = std::map<std::string, Profile>;  // without what they inherit

// What the first `count` files say.
Parts merge(const std::vector<ProfileFile>& files, std::size_t count) {
  Parts parts;
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& [name, part] : files[i].profiles) {
      Profile& profile = parts[name];
      profile.name = name;
      profile.defined.push_back(part.place);
      for (const auto& [path, value] : part.values) profile.values.insert_or_assign(path, value);
    }
  }
  return parts;
}

const Value* parent_of(const Profile& profile) {
  auto found = profile.values.find("inherits");
  return found == profile.values.end() || found->second.is_null ? nullptr : &found->second;
}

std::vector<std::string> names_of(const Parts& parts) {
  std::vector<std::string> names;
  for (const auto& [name, profile] : parts) names.push_back(name);
  return names;
}

// Follows `inherits` from a profile on, as far as that leads somewhere new.
void find_ancestors(Profile& profile, const Parts& parts, Problems& problems) {
  const Profile* here = &profile;
  while (const Value* parent = parent_of(*here)) {
    const std::string name = parent->text();
    auto next = parts.find(name);
    if (next == parts.end()) {
      std::string meant = nearest(name, names_of(parts));
      problems.push_back({parent->place, "there is no profile '" + name + "' to inherit from; " +
                                             (meant.empty() ? "define it, or remove this line"
                                                            : "did you mean '" + meant + "'?")});
      return;
    }
    if (name == profile.name) {
      std::vector<std::string> circle = {profile.name};
      circle.insert(circle.end(), profile.ancestors.begin(), profile.ancestors.end());
      circle.push_back(name);
      problems.push_back({parent_of(profile)->place, "profiles inherit in a circle (" + join(circle, " -> ") +
                                                         "); remove one 'inherits'"});
      return;
    }
    // A circle further on is told of where it is.
    if (std::ranges::count(profile.ancestors, name) > 0) return;
    profile.ancestors.push_back(name);
    here = &next->second;
  }
}

Parts inherit(const Parts& parts, Problems& problems) {
  Parts whole = parts;
  for (auto& [name, profile] : whole) {
    find_ancestors(profile, parts, problems);
    for (const std::string& ancestor : profile.ancestors) {
      for (const auto& [path, value] : parts.at(ancestor).values) {
        // The nearest was first, and what is there stays.
        if (path != "inherits") profile.values.emplace(path, value);
      }
    }
  }
  return whole;
}

}  // namespace

const Value* Profile::find(std::string_view path) const {
  auto found = values.find(path);
  return found == values.end() || found->second.is_null ? nullptr : &found->second;
}

std::string Profile::text(std::string_view path) const {
  if (const Value* value = find(path)) return value->text();
  const ProfileKey* key = find_key(profile_keys(), path);
  return key == nullptr ? "" : default_of(*key, *this);
}

std::string default_of(const ProfileKey& key, const Profile& profile) {
  // A batch job that nobody needs any more costs others.
  if (key.path == "limits.idletime" && profile.text("launcher") == "slurm") return "5min";
  if (key.path == "scale.idle" && profile.find("limits.idletime") != nullptr)
    return profile.text("limits.idletime");
  return std::string(key.otherwise);
}

Profiles resolve_profiles(const std::vector<ProfileFile>& files, Problems& problems) {
  Profiles profiles;
  profiles.all = inherit(merge(files, files.size()), problems);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].locks.empty()) continue;
    Problems told_already;
    check_locks(profiles.all, inherit(merge(files, i + 1), told_already), files[i].locks, i, problems);
  }
  profiles.caps = merge_caps(files, problems);
  std::set<std::string> parents;
  for (const auto& [name, profile] : profiles.all) {
    parents.insert(profile.ancestors.begin(), profile.ancestors.end());
  }
  for (const auto& [name, profile] : profiles.all) {
    check_caps(profile, profiles.caps, problems);
    check_sense(profile, parents.contains(name), problems);
  }
  for (auto& [name, profile] : profiles.all) {
    std::erase_if(profile.values, [](const auto& each) { return each.second.is_null; });
  }
  sort_problems(problems);
  return profiles;
}

}  // namespace tenkai
