// `tenkai clean`: removes what launches have brought to this machine.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/version.h"
#include "cli/commands.h"
#include "launcher/bring/leftovers.h"
#include "launcher/plugin/launch_folder.h"

namespace tenkai {
namespace cli_clean {
namespace {

struct Wanted {
  bool dry = false;
  bool keep = false;
  bool as_json = false;
};

// What became of a version; `trouble` says why it is still there.
struct Cleaned {
  bring::BroughtVersion what;
  std::string state;  // "removed", "found" where nothing is to be done, "kept"
  std::string trouble;
};

Cleaned clean(const bring::BroughtVersion& version, const Wanted& wanted) {
  if (wanted.keep && version.version == program_version) return {version, "kept", ""};
  if (version.is_in_use) return {version, "kept", "daemons on this machine run from it"};
  if (wanted.dry) return {version, "found", ""};
  Result<Done> removed = bring::remove(version);
  if (!removed) return {version, "kept", removed.error().message};
  return {version, "removed", ""};
}

std::string line_of(const Cleaned& cleaned) {
  std::string what = cleaned.state == "found" ? "would remove " : cleaned.state + " ";
  std::string size = std::to_string((cleaned.what.bytes + 1024 * 1024 - 1) / (1024 * 1024)) + " MiB";
  return what + cleaned.what.folder + ", " + size + (cleaned.trouble.empty() ? "" : ": " + cleaned.trouble) +
         "\n";
}

std::string json_of(const std::vector<Cleaned>& all) {
  boost::json::array versions;
  for (const Cleaned& each : all) {
    versions.push_back({{"version", each.what.version},
                        {"folder", each.what.folder},
                        {"bytes", std::uint64_t{each.what.bytes}},
                        {"state", each.state},
                        {"trouble", each.trouble}});
  }
  return boost::json::serialize(boost::json::object{{"versions", versions}}) + "\n";
}

int run(const Wanted& wanted) {
  std::string cache = usual_launch_folder();
  std::vector<Cleaned> all;
  for (const bring::BroughtVersion& each : bring::brought_versions(cache)) all.push_back(clean(each, wanted));
  std::string text = all.empty() ? "nothing was brought to " + cache + "\n" : "";
  for (const Cleaned& each : all) text += line_of(each);
  std::fputs((wanted.as_json ? json_of(all) : text).c_str(), stdout);
  for (const Cleaned& each : all) {
    if (!each.trouble.empty()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace cli_clean

void add_clean_command(CLI::App& app, int& exit_code) {
  using namespace cli_clean;
  CLI::App* command = app.add_subcommand("clean", "Remove what launches have brought to this machine");
  auto wanted = std::make_shared<Wanted>();
  command->add_flag("--dry-run", wanted->dry, "Only say what would be removed");
  command->add_flag("--keep", wanted->keep, "Keep what is of the version of this program");
  command->add_flag("--json", wanted->as_json, "Print one JSON document");
  command->footer(
      "Launches bring tenkai along to machines that have R alone, into ~/.cache/tenkai/VERSION. The next "
      "launch brings it again.\n\n"
      "Example:\n"
      "  tenkai clean --dry-run\n\n"
      "Exit codes:\n"
      "  0  it is removed, or there was nothing\n"
      "  1  something is still there, because it is in use or cannot be removed\n"
      "  2  the command line was not understood");
  command->callback([wanted, &exit_code] { exit_code = run(*wanted); });
}

}  // namespace tenkai
