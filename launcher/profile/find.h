// The profiles of this process: its files, read and put together.
#pragma once

#include <string>
#include <vector>

#include "launcher/profile/deployment.h"
#include "launcher/profile/search.h"

namespace tenkai {

struct FoundProfiles {
  std::vector<ProfileFile> files;
  Profiles profiles;
  Problems problems;
};

FoundProfiles find_profiles(const std::vector<SearchedFile>& searched, Problems problems = {});
// In all places of search.h.
FoundProfiles find_profiles();

// The warnings of all files, in their order.
Problems warnings_of(const FoundProfiles& found);

// What one of them comes to. The error names everything that is wrong in any file: half
// of a policy is none.
Result<Deployment> find_deployment(const std::string& name);

// "there is no profile 'gup'; did you mean 'gpu'?"
std::string no_such_profile(const std::string& name, const Profiles& profiles);

}  // namespace tenkai
