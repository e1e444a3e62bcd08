// A node of a cluster, as far as a job script sees it: a folder with programs that play a
// part, in which scripts are run. And values for the templates.
#pragma once

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include "base/text.h"
#include "base/version.h"
#include "launcher/profile/keys.h"
#include "launcher/template/environment.h"
#include "launcher/template/find.h"
#include "launcher/template/template.h"
#include "tests/catch.h"
#include "tests/launcher/nasty_words.h"

namespace tenkai::tests {

namespace fs = std::filesystem;

const fs::path data_folder = TENKAI_TEST_DATA;
const fs::path checkout = data_folder / ".." / "..";

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write(const fs::path& path, const std::string& text, bool is_program = false) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  if (is_program) ::chmod(path.c_str(), 0700);
}

inline TemplateValues plain_values() {
  return {{"launch.name", {"tenkai-cpu-4f1c"}},
          {"launch.folder", {"/home/me/.cache/tenkai/launch-1"}},
          {"launch.log", {"/home/me/.cache/tenkai/launch-1/log-%A_%a"}},
          {"launch.array", {"0-15"}},
          {"launch.ntasks", {"1"}},
          {"launch.cpus", {"4"}},
          {"launch.threads", {"1"}},
          {"launch.requeue", {"--no-requeue"}},
          {"launch.programs", {"/opt/tenkai/libexec/tenkai"}},
          {"launch.program",
           {"/opt/tenkai/bin/tenkai", "agent", "--manifest", "--credential",
            "@/home/me/.cache/tenkai/launch-1/key", "--rscript"}},
          {"launch.command", {"Rscript", "-e", "tenkai::agent('@/home/me/.cache/tenkai/launch-1/key')"}}};
}

inline TemplateValues full_values() {
  TemplateValues values = plain_values();
  values["launch.gpus"] = {"a100:2"};
  values["launch.exclude"] = {"n3,n7"};
  values["slurm.signal"] = {"B:USR1@60"};
  values["launch.comment"] = {"it's \"ours\" # 4f1c"};
  values["launch.rank-offset"] = {"64"};
  values["slurm.partition"] = {"gpu"};
  values["slurm.account"] = {"proj42"};
  values["slurm.qos"] = {"normal"};
  values["slurm.time"] = {"1:30:00"};
  values["slurm.mem"] = {"16G"};
  values["slurm.options"] = {"--exclusive", "--constraint=a&b"};
  values["environment.modules"] = {"gcc", "R/4.3"};
  values["environment.conda"] = {"~/envs/stats 2"};
  values["environment.spack"] = {"r", "r-tenkai"};
  values["environment.apptainer"] = {"~/image.sif"};
  values["environment.renv"] = {"~/project"};
  values["environment.lib-paths"] = {"/group/R", "~/R lib"};
  values["environment.variables.TMPDIR"] = {"/scratch/$USER"};
  values["environment.prologue"] = {"ulimit -c 0\necho \"$(hostname)\"\n"};
  values["threads"] = {"2"};
  return values;
}

inline JobScript job_of(const std::string& name, const std::string& text, const TemplateValues& values) {
  Result<TemplateValues> all = with_shell_code(values);
  INFO((all ? "" : all.error().message));
  REQUIRE(all);
  Result<JobScript> script = render_template(name, text, *all);
  INFO((script ? "" : script.error().message));
  REQUIRE(script);
  return *script;
}

inline JobScript job(const std::string& name, const TemplateValues& values) {
  return job_of(name, text_of(checkout / "templates" / name), values);
}

inline TemplateValues nodes(TemplateValues values) {
  values.erase("launch.array");
  values["slurm.nodes"] = {"2"};
  values["launch.ntasks"] = {"3"};
  values["launch.log"] = {"/home/me/.cache/tenkai/launch-1/log-%j"};
  return values;
}

// A node: its folder, a job's environment, and programs that are not there.
class Node {
 public:
  Node() {
    char name[] = "/tmp/tenkai-template-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    folder = name;
    write(folder / "job", "");
    fs::create_directory(folder / "launch");
  }
  ~Node() { fs::remove_all(folder); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void has(const std::string& program, const std::string& body) {
    write(folder / "bin" / program, "#!/bin/bash\n" + body + "\n", true);
  }
  TemplateValues at_home(TemplateValues values) const {
    values["launch.folder"] = {(folder / "launch").string()};
    values["launch.log"] = {(folder / "log").string()};
    return values;
  }
  // The exit status of the job; what it wrote is in `output`.
  int run(const JobScript& script, const std::string& before = "",
          const std::string& variables = "SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=3") {
    write(folder / "job", script.text);
    std::string line = "cd " + shell_quote(folder.string()) +
                       " && timeout 20 env -i HOME=\"$PWD\" PATH=\"$PWD/bin:/usr/bin:/bin\" SLURM_JOB_ID=8 "
                       "SLURMD_NODENAME=n1 " +
                       variables + " bash -c " + shell_quote(before + " bash job") + " >output 2>&1";
    int status = std::system(line.c_str());
    output = text_of(folder / "output");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string status_file(const std::string& id = "7_3") const {
    return text_of(folder / "launch" / "status" / id);
  }
  std::string file(const std::string& name) const { return text_of(folder / name); }

  fs::path folder;
  std::string output;
};

inline bool is_shell(const fs::path& script) {
  return std::system(("bash -n " + shell_quote(script.string())).c_str()) == 0;
}

// So that a release does not change what is compared.
inline std::string with_version_named(std::string text) {
  const std::string compared = "!= " + std::string(program_version) + " ]";
  if (std::size_t at = text.find(compared); at != std::string::npos) {
    text.replace(at, compared.size(), "!= @VERSION@ ]");
  }
  return text;
}

inline void check_golden(const std::string& name, const JobScript& script) {
  INFO(name << ": TENKAI_UPDATE_GOLDEN=1 writes it anew");
  fs::path path = data_folder / "templates" / (name + ".sbatch");
  std::string text = with_version_named(script.text);
  if (std::getenv("TENKAI_UPDATE_GOLDEN") != nullptr) write(path, text);
  CHECK(text_of(path) == text);
  CHECK(is_shell(path));
}

}  // namespace tenkai::tests
