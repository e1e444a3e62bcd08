// The options of a launch that are keys of a profile. A profile's were looked at when it
// was read; what R and commands hand on was not.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

// Whether the options of `section` ("slurm"), those of `environment`, and others with names of
// keys, are keys with values that these take. Options named in `own` are not looked at.
Result<Done> check_keys(const std::map<std::string, std::vector<std::string>>& options,
                        std::string_view section, const std::vector<std::string_view>& own = {});

}  // namespace tenkai
