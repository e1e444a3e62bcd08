#include "launcher/bring/leftovers.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/text.h"
#include "base/version.h"

namespace tenkai::bring {
namespace {

namespace fs = std::filesystem;

std::uintmax_t size_of(const std::string& folder) {
  std::error_code failed;
  std::uintmax_t bytes = 0;
  fs::recursive_directory_iterator each(folder, fs::directory_options::skip_permission_denied, failed);
  for (; !failed && each != fs::recursive_directory_iterator(); each.increment(failed)) {
    std::error_code ignored;
    if (each->is_regular_file(ignored) && !each->is_symlink(ignored)) bytes += each->file_size(ignored);
  }
  return bytes;
}

// An agent lets nobody look at it; the R of its daemons has mapped the package. We may be
// what was brought ourselves.
bool is_mapped(const std::string& folder) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", failed)) {
    std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos || name == std::to_string(::getpid())) continue;
    std::ifstream maps(entry.path() / "maps");
    for (std::string line; std::getline(maps, line);) {
      if (line.find(" " + folder + "/") != line.npos) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<BroughtVersion> brought_versions(const std::string& cache) {
  std::vector<BroughtVersion> versions;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(cache, failed)) {
    std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (release_of(name).empty() || !fs::is_directory(entry.symlink_status(ignored))) continue;
    std::string folder = entry.path().string();
    versions.push_back({name, folder, size_of(folder), is_mapped(folder)});
  }
  std::sort(versions.begin(), versions.end(),
            [](const auto& one, const auto& other) { return one.version < other.version; });
  return versions;
}

Result<Done> remove(const BroughtVersion& version) {
  std::error_code failed;
  fs::remove_all(version.folder, failed);
  if (!failed) return Done{};
  return Error{"cannot remove " + printable(version.folder) + ": " + failed.message() +
               "; remove it by hand"};
}

}  // namespace tenkai::bring
