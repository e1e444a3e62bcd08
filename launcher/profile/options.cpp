#include "launcher/profile/options.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "launcher/profile/keys.h"
#include "launcher/profile/meant.h"
#include "launcher/profile/value.h"

namespace tenkai {
namespace {

std::string unknown_key(const std::string& path) {
  std::size_t dot = path.find('.');
  return "there is no '" + printable(path, 100) + "'; " +
         meant_by(profile_keys(), path.substr(0, dot), path.substr(dot + 1));
}

}  // namespace

Result<Done> check_keys(const std::map<std::string, std::vector<std::string>>& options,
                        std::string_view section, const std::vector<std::string_view>& own) {
  for (const auto& [path, texts] : options) {
    // Names and words of variables are judged where the script is made; they may be anything.
    if (path.starts_with("environment.variables.") || std::ranges::count(own, path) != 0) continue;
    const ProfileKey* key = find_key(profile_keys(), path);
    bool is_ours = path.starts_with(std::string(section) + ".") || path.starts_with("environment.");
    if (key == nullptr && is_ours) return Error{unknown_key(path)};
    if (key == nullptr) continue;
    if (texts.size() > 1 && !is_list(key->type))
      return Error{path + " has " + std::to_string(texts.size()) + " values, and takes one; leave one"};
    for (const std::string& text : texts) {
      if (std::optional<std::string> complaint = complaint_about(*key, text)) return Error{*complaint};
    }
  }
  return Done{};
}

}  // namespace tenkai
