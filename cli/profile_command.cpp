// `tenkai profile`: what the files of profiles say, and what is wrong with them. It
// needs no cluster and starts nothing.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "launcher/profile/find.h"
#include "launcher/template/check.h"
#include "process/own_path.h"

namespace tenkai {
namespace cli_profile {
namespace {

namespace json = boost::json;

struct Arguments {
  bool as_json = false;
  bool as_markdown = false;
  std::string name;
  std::vector<std::string> files;
};

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void print_json(const json::value& value) { print(json::serialize(value) + "\n"); }

json::object as_json(const Place& place) {
  return {{"file", place.file}, {"line", place.at.line}, {"column", place.at.column}};
}

json::array as_json(const Problems& problems) {
  json::array list;
  for (const Problem& problem : problems) {
    json::object each = as_json(problem.place);
    each["message"] = problem.message;
    list.push_back(std::move(each));
  }
  return list;
}

// Profiles are used only when nothing is wrong with any file: half of a policy is none.
int tell(const Problems& problems) {
  for (const Problem& problem : problems) std::fprintf(stderr, "%s\n", to_string(problem).c_str());
  return 1;
}

void warn(const Problems& warnings) {
  for (const Problem& warning : warnings) std::fprintf(stderr, "warning: %s\n", to_string(warning).c_str());
}

int list(const Arguments& arguments) {
  FoundProfiles found = find_profiles();
  warn(warnings_of(found));
  if (!found.problems.empty()) return tell(found.problems);
  json::array all;
  std::vector<std::vector<std::string>> rows = {{"NAME", "LAUNCHER", "DAEMONS", "DEFINED"}};
  for (const auto& [name, profile] : found.profiles.all) {
    std::vector<std::string> places;
    json::array defined;
    for (const Place& place : profile.defined) {
      places.push_back(to_string(place));
      defined.push_back(as_json(place));
    }
    std::string daemons = profile.text("daemons");
    if (profile.scales()) daemons = profile.text("scale.min") + "-" + profile.text("scale.max");
    rows.push_back({name, profile.text("launcher"), daemons.empty() ? "-" : daemons, join(places, ", ")});
    all.push_back(
        {{"name", name}, {"launcher", profile.text("launcher")}, {"daemons", daemons}, {"defined", defined}});
  }
  if (arguments.as_json) print_json(json::value(all));
  else if (all.empty()) print("There are no profiles yet; docs/profiles.md says where they are written.\n");
  else print(columns(rows));
  return 0;
}

std::string as_cell(const Value& value, KeyType type) {
  std::vector<std::string> texts;
  for (const std::string& text : value.texts) texts.push_back(printable(text, 100));
  return is_list(type) ? "[" + join(texts, ", ") + "]" : join(texts, "");
}

// Whether a default matters: not where it is for another launcher, or stands for itself.
bool concerns(const ProfileKey& key, const Profile& profile) {
  if (key.path.starts_with("scale.")) return profile.scales();
  std::string launcher = profile.text("launcher");
  for (std::string_view section : {"ssh", "command", "slurm", "mpi"}) {
    if (key.path.starts_with(section) && key.path.substr(section.size()).starts_with('.'))
      return section == launcher;
  }
  return true;
}

int complain(const std::string& why) {
  std::fprintf(stderr, "tenkai profile: %s\n", why.c_str());
  return 1;
}

// What `show` prints, as lines for people and as JSON.
struct Shown {
  std::vector<std::vector<std::string>> rows;
  json::object values;

  void add(const std::string& path, const ProfileKey& key, const Value& value, bool is_default) {
    rows.push_back({path, as_cell(value, key.type), is_default ? "default" : to_string(value.place)});
    json::object each = is_default ? json::object{{"default", true}} : as_json(value.place);
    if (is_list(key.type)) each["value"] = json::array(value.texts.begin(), value.texts.end());
    else each["value"] = value.text();
    values[path] = std::move(each);
  }
};

void add_values(const Profile& profile, const ProfileKey& key, Shown& shown) {
  bool is_said = false;
  for (const auto& [path, value] : profile.values) {
    if (find_key(profile_keys(), path) != &key) continue;
    shown.add(path, key, value, false);
    is_said = true;
  }
  Value value;
  value.texts = {default_of(key, profile)};
  if (is_said || value.text().empty() || !concerns(key, profile)) return;
  shown.add(std::string(key.path), key, value, true);
}

int show(const Arguments& arguments) {
  FoundProfiles found = find_profiles();
  warn(warnings_of(found));
  if (!found.problems.empty()) return tell(found.problems);
  auto named = found.profiles.all.find(arguments.name);
  if (named == found.profiles.all.end()) return complain(no_such_profile(arguments.name, found.profiles));
  Shown shown;
  for (const ProfileKey& key : profile_keys()) add_values(named->second, key, shown);
  Shown caps;
  for (const auto& [path, value] : found.profiles.caps) {
    caps.add(path, *find_key(cap_keys(), path), value, false);
    shown.rows.push_back({"cap of " + path, value.text(), to_string(value.place)});
  }
  if (arguments.as_json)
    print_json({{"name", arguments.name}, {"values", shown.values}, {"caps", caps.values}});
  else print(columns(shown.rows));
  return 0;
}

int check(const Arguments& arguments) {
  std::vector<SearchedFile> searched;
  // Files that are named are looked at alone, and may be a site's to be.
  for (const std::string& path : arguments.files) searched.push_back({path, true, true});
  FoundProfiles found = searched.empty() ? find_profiles() : find_profiles(searched);
  warn(warnings_of(found));
  Problems warnings;
  if (found.problems.empty()) found.problems = check_templates(found.profiles, own_program(), warnings);
  warn(warnings);
  std::string files;
  for (const ProfileFile& file : found.files) files += "  " + file.name + "\n";
  if (arguments.as_json) {
    json::array read;
    for (const ProfileFile& file : found.files) read.push_back(json::value(file.name));
    print_json(json::value{{"files", read}, {"problems", as_json(found.problems)}});
    return found.problems.empty() ? 0 : 1;
  }
  if (!found.problems.empty()) {
    int status = tell(found.problems);
    std::fprintf(stderr, "%s\n", counted(found.problems.size(), "problem").c_str());
    return status;
  }
  print(counted(found.profiles.all.size(), "profile") + ", nothing wrong" +
        (files.empty() ? "; there is no file\n" : " in\n" + files));
  return 0;
}

// For the R package: what daemons() is to do, as lines.
int deploy_it(const Arguments& arguments) {
  Result<Deployment> deployment = find_deployment(arguments.name);
  if (!deployment) return complain(deployment.error().message);
  print(to_lines(*deployment));
  return 0;
}

int keys(const Arguments& arguments) {
  if (arguments.as_markdown) print(keys_as_markdown());
  else {
    for (const ProfileKey& key : profile_keys()) print(std::string(key.path) + "\n");
  }
  return 0;
}

}  // namespace
}  // namespace cli_profile

void add_profile_command(CLI::App& app, int& exit_code) {
  using namespace cli_profile;
  CLI::App* command = app.add_subcommand("profile", "Look at the compute profiles");
  command->require_subcommand(1);
  command->footer(
      "Example:\n"
      "  tenkai profile list\n"
      "  tenkai profile show gpu --json\n"
      "  tenkai profile check tenkai.yaml\n\n"
      "Exit codes:\n"
      "  0  nothing is wrong\n"
      "  1  something is wrong with a file of profiles, or there is no such profile\n"
      "  2  the command line was not understood");
  auto arguments = std::make_shared<Arguments>();
  auto add = [&](const std::string& name, const std::string& says, int (*run)(const Arguments&)) {
    CLI::App* sub = command->add_subcommand(name, says);
    if (run != keys && run != deploy_it) sub->add_flag("--json", arguments->as_json, "Print JSON");
    sub->callback([arguments, run, &exit_code] { exit_code = run(*arguments); });
    return sub;
  };
  add("list", "Print which profiles there are, and where they are defined", list);
  add("show", "Print the values of a profile, and where each comes from", show)
      ->add_option("NAME", arguments->name, "The profile")
      ->type_name("PROFILE")
      ->required();
  add("check", "Print everything that is wrong with the files of profiles", check)
      ->add_option("FILE", arguments->files, "These files alone, as if they were a site's")
      ->type_name("FILE");
  CLI::App* lines = add("deploy", "Print what the R package is to do for a profile", deploy_it);
  lines->add_option("NAME", arguments->name, "The profile")->required();
  lines->group("");
  CLI::App* table = add("keys", "Print the keys that a profile can have", keys);
  table->add_flag("--markdown", arguments->as_markdown, "As the tables of docs/profiles.md");
  table->group("");
}

}  // namespace tenkai
