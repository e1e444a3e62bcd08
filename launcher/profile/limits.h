// What a profile must not be: against a site's locks and caps, or against itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "launcher/profile/profiles.h"

namespace tenkai {

// `before` is what the profiles were after file `index`, which has the locks.
void check_locks(const std::map<std::string, Profile>& now, const std::map<std::string, Profile>& before,
                 const std::vector<Lock>& locks, std::size_t index, Problems& problems);

// The caps of all site files: a later one can only narrow.
Values merge_caps(const std::vector<ProfileFile>& files, Problems& problems);

void check_caps(const Profile& profile, const Values& caps, Problems& problems);

// Values that contradict each other, or are missing. A profile that others inherit from
// may leave something to them.
void check_sense(const Profile& profile, bool is_inherited, Problems& problems);

}  // namespace tenkai
