#include "cli/shown_plugin.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "cli/columns.h"

namespace tenkai {

namespace json = boost::json;

std::string state_of(const ShownPlugin& plugin) {
  if (!plugin.facts) return "found";
  if (!works_with(program_version, plugin.facts->version)) return "other version";
  const PluginLacks& lacks = plugin.facts->lacks;
  if (lacks.empty()) return "ready";
  bool is_unusable = std::ranges::any_of(lacks, [](const PluginLack& each) { return each.is_needed; });
  return is_unusable ? "unusable" : "limited";
}

std::string table_of(const std::vector<ShownPlugin>& plugins) {
  std::vector<std::vector<std::string>> rows = {{"LAUNCHER", "STATE", "COMMAND"}};
  std::string notes;
  for (const ShownPlugin& each : plugins) {
    std::vector<std::string> words;
    for (const std::string& word : each.command) words.push_back(shell_quote(word));
    rows.push_back({each.name, state_of(each), printable(join(words, " "), 500)});
    std::string line = "\n" + each.name + ": ";
    if (!each.facts) continue;
    if (!works_with(program_version, each.facts->version))
      notes += line + "it is of tenkai " + each.facts->version + ", this is " + std::string(program_version) +
               "\n";
    for (const PluginLack& lack : each.facts->lacks)
      notes += line + "no " + lack.what + ": " + lack.means + "\n  " + lack.mend + "\n";
  }
  return columns(rows) + notes;
}

std::string json_of(const std::vector<ShownPlugin>& plugins) {
  json::array all;
  for (const ShownPlugin& each : plugins) {
    json::object one;
    if (each.facts) one = json::parse(encode(*each.facts)).as_object();
    one["name"] = each.name;
    one["state"] = state_of(each);
    json::array command;
    for (const std::string& word : each.command) command.push_back(json::string(printable(word, 4096)));
    one["command"] = std::move(command);
    all.push_back(std::move(one));
  }
  return json::serialize(json::object{{"plugins", std::move(all)}}) + "\n";
}

}  // namespace tenkai
