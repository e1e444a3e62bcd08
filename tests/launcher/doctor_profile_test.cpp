#include <optional>
#include <string>
#include <utility>

#include "launcher/doctor/profile_checks.h"
#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;
using namespace tenkai::doctor;

namespace {

std::string sense(const std::string& keys) {
  Resolved resolved = resolve({{"p.yaml", "profiles: {p: {launcher: slurm, " + keys + "}}\n"}});
  REQUIRE(resolved.problems.empty());
  return bad_of(judge_sense(resolved.profiles.all["p"]));
}

FoundProfiles found_in(const std::string& text, bool is_site = false) {
  FoundProfiles found;
  found.files.push_back(read_profile_file("p.yaml", text, is_site, 0, found.problems));
  found.profiles = resolve_profiles(found.files, found.problems);
  return found;
}

}  // namespace

TEST_CASE("values that fit together are not complained of") {
  CHECK(sense("daemons: 1").empty());
  CHECK(sense("slurm: {mem: 4G, array-chunk: 2}, limits: {memory: 2G}").empty());
  CHECK(sense("slurm: {cpus-per-task: 4}, threads: 4").empty());
  CHECK(sense("slurm: {time: 2:00:00}, limits: {walltime: 2h}").empty());
}

TEST_CASE("values that contradict each other are told") {
  CHECK(sense("slurm: {mem: 4G, array-chunk: 2}, limits: {memory: 3G}") == "profile.memory warning;");
  CHECK(sense("slurm: {mem-per-cpu: 1G, cpus-per-task: 2}, limits: {memory: 3G}") ==
        "profile.memory warning;");
  CHECK(sense("slurm: {cpus-per-task: 2}, threads: 4") == "profile.threads warning;");
  CHECK(sense("slurm: {time: 1:00:00}, limits: {walltime: 2h}") == "profile.time warning;");
}

TEST_CASE("files of profiles are checked, and who is named is looked for") {
  FoundProfiles good = found_in("profiles: {gpu: {launcher: slurm}}\n");

  CHECK(bad_of(judge_profile_files(good, "gpu")).empty());
  CHECK(bad_of(judge_profile_files(good, "")).empty());
  CHECK(bad_of(judge_profile_files(good, "gup")) == "profile.known wrong;");
  CHECK(bad_of(judge_profile_files(found_in("profiles: {gpu: {lancher: slurm}}\n"), "gpu")) ==
        "profile.files wrong;");
  Check known = judge_profile_files(
      found_in("profiles: {gpu: {slurm: {qos: a}}}\nlocks: [profiles.gpu.slurm.qos]\n", true), "gpu")[1];
  CHECK(known.sentence.find("locked slurm.qos") != std::string::npos);
}

TEST_CASE("what is wrong in another profile leaves the named one to be looked at") {
  auto is_good = [](const std::string& text, const std::string& name) {
    FoundProfiles found = found_in(text);
    REQUIRE_FALSE(found.problems.empty());
    return is_faultless(found, found.profiles.all.at(name));
  };

  std::string block = "profiles:\n  a:\n    lancher: slurm\n  b:\n    daemons: 1\n";
  CHECK(is_good(block, "b"));
  CHECK_FALSE(is_good(block, "a"));
  CHECK(is_good("profiles: {a: {daemons: 1}, b: {lancher: slurm}}\n", "a"));
  CHECK_FALSE(is_good("profiles: {a: {daemons: 1}, b: {lancher: slurm}}\n", "b"));
  CHECK_FALSE(is_good("profiles: {a: {lancher: slurm}, b: {inherits: a}}\n", "b"));
}

TEST_CASE("a folder for logs has to be there, writable and seen by others") {
  CHECK(judge_logs(std::nullopt).empty());
  CHECK(bad_of(judge_logs(LogFolder{"/home/anna/logs", true, true, false})).empty());
  CHECK(bad_of(judge_logs(LogFolder{"/home/anna/logs", false, false, false})) == "profile.logs wrong;");
  CHECK(bad_of(judge_logs(LogFolder{"/home/anna/logs", true, false, false})) == "profile.logs wrong;");
  CHECK(bad_of(judge_logs(LogFolder{"/tmp/logs", true, true, true})) == "profile.logs warning;");
}
