#include "launcher/profile/find.h"

#include <utility>

#include "base/text.h"
#include "launcher/profile/nearest.h"

namespace tenkai {

FoundProfiles find_profiles(const std::vector<SearchedFile>& searched, Problems problems) {
  FoundProfiles found;
  found.problems = std::move(problems);
  found.files = read_profile_files(searched, found.problems);
  found.profiles = resolve_profiles(found.files, found.problems);
  return found;
}

FoundProfiles find_profiles() {
  Problems problems;
  std::vector<SearchedFile> searched = files_to_search(search_places(), problems);
  return find_profiles(searched, std::move(problems));
}

Problems warnings_of(const FoundProfiles& found) {
  Problems warnings;
  for (const ProfileFile& file : found.files)
    warnings.insert(warnings.end(), file.warnings.begin(), file.warnings.end());
  return warnings;
}

Result<Deployment> find_deployment(const std::string& name) {
  FoundProfiles found = find_profiles();
  std::string wrong;
  for (const Problem& problem : found.problems) wrong += (wrong.empty() ? "" : "\n") + to_string(problem);
  if (!wrong.empty()) return Error{wrong};
  auto named = found.profiles.all.find(name);
  if (named == found.profiles.all.end()) return Error{no_such_profile(name, found.profiles)};
  Result<Deployment> deployment = deploy(named->second, found.profiles.caps, address_of_interface);
  if (!deployment) return deployment;
  for (const Problem& warning : warnings_of(found)) deployment->warnings.push_back(to_string(warning));
  return deployment;
}

std::string no_such_profile(const std::string& name, const Profiles& profiles) {
  std::vector<std::string> known;
  for (const auto& [each, profile] : profiles.all) known.push_back(each);
  std::string meant = nearest(name, known);
  return "there is no profile '" + printable(name, 60) + "'; " +
         (meant.empty() ? "tenkai profile list shows those there are" : "did you mean '" + meant + "'?");
}

}  // namespace tenkai
