#include "launcher/plugin/launch_folder.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/random_hex.h"
#include "base/text.h"
#include "wire/file_refusal.h"

namespace tenkai {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view advice =
    "; set XDG_CACHE_HOME to a folder of your own, for jobs one that the nodes see";

constexpr int most_removals = 20;
constexpr std::chrono::milliseconds removal_pause{5};

Result<std::string> cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache);
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache";
  return Error{"there is no place for a file with a credential: HOME is not set, or no path from /" +
               std::string(advice)};
}

Result<Done> make(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return Done{};
  return Error{"cannot make the folder " + printable(folder, PATH_MAX) +
               " for a credential: " + std::strerror(errno) + std::string(advice)};
}

// What is in it is run: whoever can change its names could put other scripts there. And
// its path stands in commands, within quotes.
Result<Done> check(const std::string& parent) {
  auto refuse = [&](const std::string& fact) {
    return Error{"the folder " + printable(parent, PATH_MAX) + " " + fact + std::string(advice)};
  };
  bool is_odd = find_unprintable(parent) || parent.find_first_of("'\"\\$`\n\t") != parent.npos;
  if (is_odd) return refuse("has a quote, a dollar sign, a backslash or a control character in its path");
  struct stat found {};
  if (::stat(parent.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return refuse("is no folder");
  if (!is_trusted_owner(found.st_uid)) return refuse("belongs to user " + std::to_string(found.st_uid));
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) return refuse("can be changed by others");
  return Done{};
}

std::string prefix() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return "launch-" + std::string(name) + "-";
}

// The process that has made a folder; nothing if it was none of this host.
std::optional<pid_t> owner_of(const std::string& name) {
  std::string begin = prefix();
  if (name.rfind(begin, 0) != 0) return std::nullopt;
  return to_number<pid_t>(name.substr(begin.size(), name.find('-', begin.size()) - begin.size()));
}

void remove_leftovers(const std::string& parent) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, failed)) {
    std::optional<pid_t> owner = owner_of(entry.path().filename().string());
    if (owner && ::kill(*owner, 0) != 0 && errno == ESRCH) remove_launch_folder(entry.path().string());
  }
}

}  // namespace

Result<std::string> make_launch_folder() {
  Result<std::string> cache = cache_folder();
  if (!cache) return cache.error();
  std::string parent = *cache + "/tenkai";
  std::string folder = parent + "/" + prefix() + std::to_string(::getpid()) + "-" + random_hex(4);
  // What a script that is pasted by hand writes to must be there before.
  for (const std::string& each : {*cache, parent, folder, folder + "/status", folder + "/logs"}) {
    Result<Done> made = make(each);
    if (made && each == parent) made = check(parent);
    if (!made) return made.error();
  }
  remove_leftovers(parent);
  return folder;
}

std::string usual_launch_folder() {
  Result<std::string> cache = cache_folder();
  return (cache ? *cache : "~/.cache") + "/tenkai";
}

// A job that is being ended may put a file there between the look and the removal.
void remove_launch_folder(const std::string& folder) {
  std::error_code failed;
  for (int i = 0; i < most_removals; ++i) {
    fs::remove_all(folder, failed);
    if (failed != std::errc::directory_not_empty) return;
    std::this_thread::sleep_for(removal_pause);
  }
}

}  // namespace tenkai
