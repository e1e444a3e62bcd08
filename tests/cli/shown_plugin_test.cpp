#include "cli/shown_plugin.h"

#include <utility>

#include "base/version.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

ShownPlugin plugin(PluginLacks lacks) {
  PluginFacts facts{std::string(program_version), "Launches", std::move(lacks)};
  return {"some", {"/bin/tenkai", "plugin", "some"}, std::move(facts)};
}

const PluginLack comfort{"libssh2", "it is slower", "install it", false};
const PluginLack need{"sbatch", "nothing can be launched", "go there", true};

}  // namespace

TEST_CASE("a plugin is ready, limited or unusable by what it lacks") {
  CHECK(state_of(plugin({})) == "ready");
  CHECK(state_of(plugin({comfort})) == "limited");
  CHECK(state_of(plugin({comfort, need})) == "unusable");
}

TEST_CASE("a plugin that says nothing, or is of another release, is told apart") {
  ShownPlugin silent{"some", {"/lib/tenkai-plugin-some"}, {}};
  ShownPlugin other = plugin({need});
  other.facts->version = "99.0.0";

  CHECK(state_of(silent) == "found");
  CHECK(state_of(other) == "other version");
  CHECK(table_of({silent}) == "LAUNCHER  STATE  COMMAND\nsome      found  /lib/tenkai-plugin-some\n");
}

TEST_CASE("what a plugin lacks is told with what that means and what to do") {
  CHECK(table_of({plugin({need})}) ==
        "LAUNCHER  STATE     COMMAND\nsome      unusable  /bin/tenkai plugin some\n\n"
        "some: no sbatch: nothing can be launched\n  go there\n");
  std::string json = json_of({plugin({need})});
  CHECK(json.find(R"("what":"sbatch","means":"nothing can be launched","mend":"go there","needed":true)") !=
        json.npos);
  CHECK(json.find(R"("state":"unusable","command":["/bin/tenkai","plugin","some"])") != json.npos);
}
