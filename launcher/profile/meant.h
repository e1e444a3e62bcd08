// What a user who wrote a key that does not exist has probably meant.
#pragma once

#include <string>
#include <string_view>

#include "launcher/profile/keys.h"

namespace tenkai {

// What to write in place of `name` in `section` ("" is the top): what those mean who know it
// from sbatch or from other systems; else a name of the section that is near, or the same name
// in another section; else the names that there are.
std::string meant_by(ProfileKeys keys, std::string_view section, std::string_view name);

}  // namespace tenkai
