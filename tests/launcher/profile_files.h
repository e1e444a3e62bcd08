// Files of profiles as a test writes them, and what comes of them.
#pragma once

#include <string>
#include <vector>

#include "launcher/profile/profiles.h"
#include "tests/catch.h"

namespace tenkai {

struct WrittenFile {
  std::string name;
  std::string text;
  bool is_site = false;
};

struct Resolved {
  Profiles profiles;
  std::vector<std::string> problems;  // as people read them

  std::string value(const std::string& profile, const std::string& path) const {
    auto found = profiles.all.find(profile);
    return found == profiles.all.end() ? "no such profile" : found->second.text(path);
  }
};

inline Resolved resolve(const std::vector<WrittenFile>& written) {
  Problems problems;
  std::vector<ProfileFile> files;
  for (const WrittenFile& file : written) {
    files.push_back(read_profile_file(file.name, file.text, file.is_site, files.size(), problems));
  }
  Resolved resolved;
  resolved.profiles = resolve_profiles(files, problems);
  for (const Problem& problem : problems) resolved.problems.push_back(to_string(problem));
  return resolved;
}

// The one problem of one file that is no site's, or all of them in lines.
inline std::string problem_of(const std::string& text, bool is_site = false) {
  std::string all;
  for (const std::string& problem : resolve({{"f", text, is_site}}).problems) {
    all += (all.empty() ? "" : "\n") + problem;
  }
  return all;
}

// That of `key: value` in a profile; the value begins in line 3, behind the key.
inline std::string problem_with(const std::string& line) {
  return problem_of("profiles:\n  p:\n    " + line + "\n");
}

}  // namespace tenkai
