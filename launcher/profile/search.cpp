#include "launcher/profile/search.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "wire/trusted_file.h"

namespace tenkai {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// PREFIX/bin/tenkai has PREFIX/share/tenkai/etc; CHECKOUT/build/bin/tenkai CHECKOUT/etc.
std::string installed_file(const std::string& program) {
  if (program.empty()) return "";
  std::string prefix = folder_of(folder_of(program));
  std::string installed = prefix + "/share/tenkai/etc/tenkai.yaml";
  return exists(installed) ? installed : folder_of(prefix) + "/etc/tenkai.yaml";
}

std::vector<std::string> site_files(const std::string& folder, Problems& problems) {
  std::vector<std::string> paths;
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    std::string name = entry->path().filename().string();
    if (name.ends_with(".yaml") && !name.starts_with('.')) paths.push_back(entry->path().string());
  }
  // Locks that nobody could read would be none.
  if (failed && failed != std::errc::no_such_file_or_directory) {
    problems.push_back(
        {{folder, {}},
         "the folder of the site's files cannot be read: " + failed.message() + "; ask the site"});
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

SearchPlaces search_places() {
  SearchPlaces places;
  std::error_code ignored;
  places.program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  places.site_folder = "/etc/tenkai";
  places.home = environment("HOME");
  places.working = ".";
  places.config = environment("TENKAI_CONFIG");
  return places;
}

std::vector<SearchedFile> files_to_search(const SearchPlaces& places, Problems& problems) {
  std::vector<SearchedFile> files;
  std::string installed = installed_file(places.program);
  if (!installed.empty()) files.push_back({installed, true, false});
  for (const std::string& path : site_files(places.site_folder, problems))
    files.push_back({path, true, false});
  if (!places.home.empty()) files.push_back({places.home + "/.config/tenkai/tenkai.yaml", false, false});
  files.push_back({places.working + "/tenkai.yaml", false, false});
  for (std::string_view path : split(places.config, ':')) {
    if (!path.empty()) files.push_back({std::string(path), false, true});
  }
  return files;
}

std::vector<ProfileFile> read_profile_files(const std::vector<SearchedFile>& files, Problems& problems) {
  std::vector<ProfileFile> read;
  // A site's file that is found again, in the working directory, is what it was.
  std::set<std::pair<dev_t, ino_t>> of_site;
  for (const SearchedFile& searched : files) {
    std::string name = printable(searched.path, 4096);
    Result<std::optional<TrustedFile>> file = read_trusted_file(searched.path, max_yaml_bytes);
    if (!file) {
      problems.push_back({{name, {}}, "the file " + file.error().message});
      continue;
    }
    if (!file->has_value()) {
      if (searched.is_wanted) problems.push_back({{name, {}}, "there is no such file; correct the path"});
      continue;
    }
    std::pair<dev_t, ino_t> identity((*file)->device, (*file)->inode);
    if (of_site.contains(identity)) continue;
    if (searched.is_site) of_site.insert(identity);
    read.push_back(read_profile_file(name, (*file)->text, searched.is_site, read.size(), problems));
  }
  return read;
}

}  // namespace tenkai
