#include "launcher/template/check.h"

#include <algorithm>

#include "base/text.h"
#include "launcher/profile/deployment.h"
#include "launcher/template/environment.h"
#include "launcher/template/find.h"
#include "launcher/template/launch_keys.h"
#include "launcher/template/placeholder.h"
#include "launcher/template/template.h"

namespace tenkai {
namespace {

bool is_comment(std::string_view line) { return trim(line).starts_with('#'); }

bool says(std::string_view text, std::string_view word) {
  return std::ranges::any_of(split(text, '\n'), [word](std::string_view line) {
    return !is_comment(line) && line.find(word) != line.npos;
  });
}

bool has_agent(std::string_view text) {
  for (std::string_view key : {"launch.agent", "launch.program", "launch.command"}) {
    if (says(text, key)) return true;
  }
  return false;
}

// What a launch would say, by its examples; one of an array or of several nodes.
TemplateValues values_of(const Profile& profile) {
  TemplateValues values;
  for (const ProfileKey& key : launch_keys()) values[std::string(key.path)] = {std::string(key.example)};
  for (const auto& [path, value] : profile.values) values[path] = value.texts;
  if (profile.find("slurm.nodes") != nullptr) values.erase("launch.array");
  return values;
}

Result<Done> check_template(const Profile& profile, const Value& named, const std::string& program,
                            Problems& warnings) {
  Result<FoundTemplate> found = find_template(path_from(named), program);
  if (!found) return found.error();
  const auto& [path, text] = *found;
  if (says(text, "launch.beacons")) {
    warnings.push_back({named.place, "the template '" + printable(path, 500) +
                                         "' has launch.beacons, which is called launch.status-file now, and "
                                         "its function beacon write_status; the next version does not know "
                                         "the old names"});
  }
  Result<TemplateValues> values = with_shell_code(values_of(profile));
  if (!values) return values.error();
  Result<JobScript> script = render_template(path, text, *values);
  if (!script) return script.error();
  return check_daemon_template(path, text);
}

}  // namespace

Result<Done> check_daemon_template(std::string_view name, std::string_view text) {
  std::string which = "the template '" + printable(name, 500) + "' ";
  if (!has_agent(text))
    return Error{which +
                 "starts no agent: it must hold '{{ launch.agent }}' and 'run \"${agent[@]}\"', "
                 "as docs/templates.md shows"};
  if (says(text, "TENKAI_RANK")) return Done{};
  return Error{which +
               "does not set TENKAI_RANK, by which each agent knows which daemons are its own; "
               "docs/templates.md shows the lines for it"};
}

Problems check_templates(const Profiles& profiles, const std::string& program, Problems& warnings) {
  Problems problems;
  for (const auto& [name, profile] : profiles.all) {
    const Value* named = profile.find("slurm.template");
    if (named == nullptr || profile.text("launcher") != "slurm") continue;
    Result<Done> checked = check_template(profile, *named, program, warnings);
    if (!checked) problems.push_back({named->place, "profile '" + name + "': " + checked.error().message});
  }
  sort_problems(problems);
  return problems;
}

}  // namespace tenkai
