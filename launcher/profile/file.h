// What one file says: profiles, and if it is a site's, locks and caps.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/profile/value.h"
#include "launcher/profile/yaml.h"

namespace tenkai {

using Values = std::map<std::string, Value, std::less<>>;  // by the path of their key

// Later files cannot change the keys at or below `path` in the profile; "*": in any.
struct Lock {
  std::string profile;
  std::string path;
  Place place;
};

struct ProfileFile {
  struct Part {
    Place place;  // of its name
    Values values;
  };

  std::string name;
  std::map<std::string, Part> profiles;
  std::vector<Lock> locks;
  Values caps;
  Problems warnings;  // keys that have another name now, and are read all the same
};

// Reads all of it, and adds everything that is wrong to `problems`; what is right is
// in the answer nevertheless. `index` is the file's place in the order of files.
ProfileFile read_profile_file(const std::string& name, std::string_view text, bool is_site, std::size_t index,
                              Problems& problems);

// Whether a lock holds a key of a profile.
bool holds(const Lock& lock, std::string_view profile, std::string_view path);

}  // namespace tenkai
