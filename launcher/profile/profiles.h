// Profiles, as all files together say them.
//
// Files are in the order of search: a later one overrides an earlier one, key by key.
// Then comes what is inherited. Then locks and caps are held against the result: a
// locked key has, whatever later files did, the value it had after the file that locks
// it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/profile/file.h"

namespace tenkai {

struct Profile {
  std::string name;
  std::vector<Place> defined;          // one place in each file that names it
  std::vector<std::string> ancestors;  // what it inherits from, the nearest first
  Values values;                       // what somebody has said, inherited or not

  const Value* find(std::string_view path) const;
  // The text that holds, said or by default; "" where there is none.
  std::string text(std::string_view path) const;
  // Whether there are as many daemons as there is work for.
  bool scales() const { return find("scale.max") != nullptr; }
};

struct Profiles {
  std::map<std::string, Profile> all;
  Values caps;
};

// Adds everything that is wrong to `problems`. Where there is a problem, nothing of the
// answer is to be used but for showing it.
Profiles resolve_profiles(const std::vector<ProfileFile>& files, Problems& problems);

// The value of a key that the profile does not set, which may depend on those that it does.
std::string default_of(const ProfileKey& key, const Profile& profile);

}  // namespace tenkai
