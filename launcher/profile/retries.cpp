#include "launcher/profile/retries.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "launcher/profile/enlarge.h"
#include "scheduler/cause.h"

namespace tenkai {
namespace {

constexpr std::string_view section = "retries.";
constexpr std::uint64_t max_times = 1000;  // of parse_retries()

bool is_said(const Value* flag) { return flag != nullptr && parse_flag(flag->text()).value_or(false); }

// How often, said or not, a task is tried again after a cause that grows.
std::uint64_t times_of(const Profile& profile, const std::string& cause) {
  std::string times = profile.text(std::string(section) + cause + ".times");
  return parse_count(times.empty() ? profile.text("retries.default") : times).value_or(0);
}

Deployment::Options requests_of(const Profile& profile) {
  Deployment::Options options;
  for (const auto& [path, value] : profile.values) {
    if (!value.is_null && (path.starts_with("slurm.") || path == "limits.memory"))
      options[path] = value.texts;
  }
  return options;
}

// What is wrong with a factor, if anything.
std::string complaint_about_growth(const Profile& profile, const std::string& cause, const Value& factor) {
  std::uint64_t times = times_of(profile, cause);
  const Value* said = profile.find(std::string(section) + cause + ".times");
  if (times == 0 && said == nullptr) return "nothing is tried again after " + cause + "; add times: 1";
  bool is_memory = kind_named(cause) == Cause::Kind::oom;
  auto steps = static_cast<std::uint8_t>(std::clamp<std::uint64_t>(times, 1, max_steps));
  std::uint32_t percent = parse_factor(factor.text()).value_or(100);
  Size size = is_memory ? Size{steps, 0} : Size{0, steps};
  Result<Enlarged> enlarged = enlarge(requests_of(profile), size, {percent, percent});
  return enlarged ? "" : enlarged.error().message;
}

}  // namespace

std::string retries_of(const Profile& profile) {
  std::string text;
  auto add = [&text](const std::string& item) { text += (text.empty() ? "" : ",") + item; };
  auto said = [&profile](const std::string& path) {
    const Value* value = profile.find(path);
    return value == nullptr ? std::string() : value->text();
  };
  if (std::string times = said("retries.default"); !times.empty()) add(times);
  for (const std::string& cause : names_in(profile_keys(), "retries")) {
    std::string path = std::string(section) + cause;
    bool is_plain = find_key(profile_keys(), path) != nullptr;
    if (cause == "default") continue;
    std::string times = said(is_plain ? path : path + ".times");
    std::string changes;
    for (const char* what : {"mem", "time"}) {
      std::string factor = said(path + "." + what);
      if (!factor.empty() && times_of(profile, cause) > 0) changes += ":" + std::string(what) + "=" + factor;
    }
    if (is_said(profile.find(path + ".exclude_node"))) changes += ":exclude_node";
    if (!times.empty() || !changes.empty()) add(cause + "=" + times + changes);
  }
  return text;
}

void check_retries(const Profile& profile, bool is_inherited, Problems& problems) {
  for (const auto& [path, value] : profile.values) {
    if (path.starts_with(section) && parse_count(value.text()).value_or(0) > max_times)
      problems.push_back({value.place, path + " of profile '" + profile.name + "' is " + value.text() +
                                           ", and nothing is tried again more than 1000 times; say less"});
  }
  if (is_inherited) return;
  bool makes_jobs = profile.text("launcher") == "slurm";
  for (const std::string& cause : names_in(profile_keys(), "retries")) {
    for (const char* what : {"mem", "time", "exclude_node"}) {
      std::string path = std::string(section) + cause + "." + what;
      const Value* value = profile.find(path);
      bool is_flag = std::string_view(what) == "exclude_node";
      if (value == nullptr || (is_flag && !is_said(value))) continue;
      std::string wrong;
      if (!makes_jobs)
        wrong = "launcher: " + profile.text("launcher") + " makes no jobs that could be other ones; " +
                "remove it, or say launcher: slurm";
      else if (!is_flag) wrong = complaint_about_growth(profile, cause, *value);
      if (!wrong.empty())
        problems.push_back({value->place, "profile '" + profile.name + "' has " + path + ": " +
                                              value->text() + ", but " + wrong});
    }
  }
}

}  // namespace tenkai
