// The keys `launch.*` of templates: what a launch knows that no profile says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/profile/keys.h"

namespace tenkai {

// They have the form of a profile's keys. docs/templates.md shows them.
ProfileKeys launch_keys();

// A key of templates: one of a profile, or of a launch. Nothing where it is none.
const ProfileKey* find_template_key(std::string_view path);

// All of them, for who has misspelt one.
std::vector<std::string> template_key_names();

}  // namespace tenkai
