// A site's file and a user's, with a NUL between: whatever they say, either something is
// wrong at a place in one of them, or the site's locks and caps hold, and the dispatcher
// can read what is said of trying again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/profile/profiles.h"
#include "launcher/profile/retries.h"
#include "scheduler/cause.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t nul = text.find('\0');
  std::string_view user = nul == text.npos ? std::string_view() : text.substr(nul + 1);
  tenkai::Problems problems;
  std::vector<tenkai::ProfileFile> files;
  files.push_back(tenkai::read_profile_file("site", text.substr(0, nul), true, 0, problems));
  tenkai::Problems ignored;
  tenkai::Profiles site = tenkai::resolve_profiles(files, ignored);
  files.push_back(tenkai::read_profile_file("user", user, false, 1, problems));
  tenkai::Profiles all = tenkai::resolve_profiles(files, problems);

  for (const tenkai::Problem& problem : problems) {
    if (problem.place.file.empty() || problem.place.at.line < 1 || problem.message.empty()) std::abort();
  }
  if (!problems.empty()) return 0;
  for (const auto& [name, profile] : all.all) {
    std::string retries = tenkai::retries_of(profile);
    if (!retries.empty() && !tenkai::parse_retries(retries)) std::abort();
    const tenkai::Value* daemons = profile.find("daemons");
    auto cap = all.caps.find("daemons");
    if (daemons && cap != all.caps.end() &&
        *tenkai::parse_count(daemons->text()) > *tenkai::parse_count(cap->second.text())) {
      std::abort();
    }
    for (const tenkai::Lock& lock : files[0].locks) {
      for (const auto& [path, value] : profile.values) {
        if (tenkai::holds(lock, name, path) && value.file > 0) std::abort();
      }
      auto before = site.all.find(name);
      if (before == site.all.end()) continue;
      for (const auto& [path, value] : before->second.values) {
        if (!tenkai::holds(lock, name, path)) continue;
        const tenkai::Value* now = profile.find(path);
        if (now == nullptr || now->texts != value.texts) std::abort();
      }
    }
  }
  return 0;
}
