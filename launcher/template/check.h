// What is wrong with the templates that profiles name, before anything is launched.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "launcher/profile/profiles.h"

namespace tenkai {

// Whether a template for daemons does what all of them must: runs an agent, and tells it which
// it is. `name` is what errors call it.
Result<Done> check_daemon_template(std::string_view name, std::string_view text);

// Reads the template of each profile that names one and is launched by Slurm, and fills it in
// as far as the profile says its values. `program` is our own path. What works in this
// version only is added to `warnings`.
Problems check_templates(const Profiles& profiles, const std::string& program, Problems& warnings);

}  // namespace tenkai
