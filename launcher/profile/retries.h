// What a profile says about trying again: how often, and where there is more.
#pragma once

#include <string>

#include "launcher/profile/profiles.h"

namespace tenkai {

// As parse_retries() of scheduler/cause.h reads it: "2,oom=1:mem=x2"; empty: nothing is said.
std::string retries_of(const Profile& profile);

// That no number is too large, and that what is to grow can: it is asked for, by a launcher of jobs, and
// something is tried again at all. A profile that others inherit from may leave that to them.
void check_retries(const Profile& profile, bool is_inherited, Problems& problems);

}  // namespace tenkai
