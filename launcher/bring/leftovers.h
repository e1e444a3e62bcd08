// What was brought to this machine, by launches of any session and version.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace tenkai::bring {

struct BroughtVersion {
  std::string version;
  std::string folder;
  std::uintmax_t bytes = 0;
  bool is_in_use = false;  // a process of this user, on this machine, runs from it
};

// Those below a folder such as ~/.cache/tenkai, by their names.
std::vector<BroughtVersion> brought_versions(const std::string& cache);

Result<Done> remove(const BroughtVersion& version);

}  // namespace tenkai::bring
