#include "launcher/template/check.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/catch.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;

namespace {

// A folder of profiles and templates, of ours alone.
struct Folder {
  Folder() {
    char name[] = "/tmp/tenkai-templates-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    ::chmod((path / name).c_str(), 0600);
  }

  // What is wrong with the template that `slurm` of a profile names; "" where nothing is.
  std::string problem_with(const std::string& slurm) const {
    std::string file = (path / "f").string();
    Resolved resolved =
        resolve({{file, "profiles:\n  p:\n    launcher: slurm\n    slurm: {" + slurm + "}\n"}});
    REQUIRE(resolved.problems.empty());
    warnings.clear();
    Problems problems = check_templates(resolved.profiles, "/no/bin/tenkai", warnings);
    return problems.empty() ? "" : to_string(problems.front()).substr(file.size());
  }

  std::filesystem::path path;
  mutable Problems warnings;
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string rank = "export TENKAI_RANK=$((${SLURM_ARRAY_TASK_ID:-0} + 0))\n";
const std::string good =
    "#!/bin/bash\n#SBATCH --output={{ launch.log }}\n#SBATCH --array={{ launch.array | }}\n"
    "{{ launch.status-file }}\n{{ launch.environment }}\n{{ launch.agent }}\n" +
    rank + "run \"${agent[@]}\"\n";

}  // namespace

TEST_CASE("a template that is not there, or cannot be filled in, is a problem of the profile that names it") {
  Folder folder;
  folder.write("good", good);
  folder.write("unknown", good + "echo {{ slurm.partiton }}\n");
  folder.write("no-value", good + "echo {{ slurm.partition }}\n");

  CHECK(folder.problem_with("template: ./good") == "");
  CHECK(folder.problem_with("template: good") == "");
  CHECK(folder.problem_with("time: 10") == "");
  CHECK(says(folder.problem_with("template: ./none"), ":4:23: profile 'p': there is no template "));
  CHECK(says(folder.problem_with("template: none.sbatch"),
             "profile 'p': there is no template 'none.sbatch' in "));
  CHECK(says(folder.problem_with("template: ./unknown"), "did you mean 'slurm.partition'?"));
  CHECK(says(folder.problem_with("template: ./no-value"), "'slurm.partition' has no value"));
  CHECK(folder.problem_with("template: ./no-value, partition: a") == "");
}

TEST_CASE("a template with names of the version before is one that works, with a warning") {
  Folder folder;
  std::string old = good;
  std::string now = "launch.status-file";
  old.replace(old.find(now), now.size(), "launch.beacons");
  folder.write("old", old);

  CHECK(folder.problem_with("template: ./old") == "");

  REQUIRE(folder.warnings.size() == 1);
  CHECK(says(folder.warnings[0].message, "has launch.beacons, which is called launch.status-file now"));
}

TEST_CASE("a template that does not say which agent is which, or starts none, is refused") {
  Folder folder;
  std::string unranked = good;
  unranked.replace(unranked.find(rank), rank.size(), "# TENKAI_RANK\n");
  folder.write("unranked", unranked);

  CHECK(says(folder.problem_with("template: ./unranked"), "does not set TENKAI_RANK"));
  CHECK(check_daemon_template("t", good));
  CHECK(says(check_daemon_template("t", "#!/bin/sh\n# {{ launch.agent }}\n" + rank).error().message,
             "starts no agent"));
}
