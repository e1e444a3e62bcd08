// What is wrong with the files of profiles, and with what a profile says: all of it was read before.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "launcher/doctor/check.h"
#include "launcher/profile/find.h"

namespace tenkai::doctor {

// profile.files, and for a profile that is named: profile.known, profile.locked. Nobody is named: "".
Checks judge_profile_files(const FoundProfiles& found, const std::string& name);

// Whether all that is wrong in the files is elsewhere than in this profile and those it inherits from.
bool is_faultless(const FoundProfiles& found, const Profile& profile);

// profile.template: `problems` are those of the template of one profile.
Checks judge_template(const Profile& profile, const Problems& problems, const Problems& warnings);

// What a profile says against itself, though each value is right: profile.memory, profile.threads,
// profile.time, profile.logs.
Checks judge_sense(const Profile& profile);

// A folder in which the logs of jobs are to stay.
struct LogFolder {
  std::string path;
  bool is_there = false;
  bool is_writable = false;
  bool is_of_this_machine = false;  // its file system is no other machine's business: /tmp
};
Checks judge_logs(const std::optional<LogFolder>& folder);

}  // namespace tenkai::doctor
