// What a profile says of the environment, set up by a job script.
#include <string>

#include "tests/launcher/job_node.h"

using namespace tenkai;
using namespace tenkai::tests;

TEST_CASE("modules are loaded, and one that cannot be is named") {
  Node node;
  node.has("Rscript", "echo \"$MODULES\" >said");
  TemplateValues values = node.at_home(plain_values());
  values["environment.modules"] = {"gcc", "R/4.3"};
  std::string module =
      "module() { [ \"$2\" != R/9.9 ] && export MODULES=\"$MODULES $2\"; }; export -f module;";

  CHECK(node.run(job("slurm.sbatch", values), module) == 0);
  CHECK(node.file("said") == " gcc R/4.3\n");

  values["environment.modules"] = {"gcc", "R/9.9"};
  CHECK(node.run(job("slurm.sbatch", values), module) == 1);
  CHECK(node.status_file().ends_with("started n1 0\nfailed module R/9.9\nexit 1\n"));
  CHECK(node.output.find("the module 'R/9.9' could not be loaded") != node.output.npos);
}

TEST_CASE("what a profile wants and a node has not is named") {
  for (const char* what : {"conda", "spack", "apptainer", "renv"}) {
    Node node;
    node.has("Rscript", "exit 0");
    TemplateValues values = node.at_home(plain_values());
    values[std::string("environment.") + what] = {"some/thing"};
    INFO(what);

    CHECK(node.run(job("slurm.sbatch", values)) == 1);

    CHECK(node.status_file() == std::string("started n1 0\nfailed ") + what + " some/thing\nexit 1\n");
    CHECK(node.output.find("tenkai: ") != node.output.npos);
  }
}

TEST_CASE("conda, spack, renv, an image and all the rest come together") {
  Node node;
  node.has("conda", "[ \"$1\" = shell.posix ] && echo 'conda() { echo \"conda $*\" >>trace; }'");
  node.has("spack", "echo \"spack $*\" >>trace");
  node.has("apptainer", "echo \"apptainer $1 $2\" >>\"$HOME/trace\"; shift 2; exec \"$@\"");
  node.has("Rscript",
           "printf '%s\\n' \"$PWD\" \"$R_LIBS\" \"$RENV_PROJECT\" \"$R_PROFILE_USER\" \"$TMPDIR\" "
           "\"$MKL_NUM_THREADS\" >\"$HOME/said\"");
  write(node.folder / "image.sif", "x");
  write(node.folder / "project/renv/activate.R", "");
  TemplateValues values = node.at_home(full_values());
  values.erase("environment.modules");
  values["environment.prologue"] = {"MKL_NUM_THREADS=7\n"};

  CHECK(node.run(job("slurm.sbatch", values), "R_LIBS=/before") == 0);

  std::string home = node.folder.string();
  INFO(node.output);
  CHECK(node.file("trace") == "conda activate " + home +
                                  "/envs/stats 2\nspack load r\nspack load r-tenkai\n"
                                  "apptainer exec " +
                                  home + "/image.sif\napptainer exec " + home + "/image.sif\n");
  CHECK(node.file("said") == home + "/project\n/group/R:" + home + "/R lib:/before\n" + home + "/project\n" +
                                 home + "/project/renv/activate.R\n/scratch/$USER\n7\n");
}

TEST_CASE("R starts in the folder that the profile names, and not without it") {
  Node node;
  node.has("Rscript", "echo \"$PWD $FROM\" >\"$HOME/said\"");
  write(node.folder / "data sets/there", "");
  TemplateValues values = node.at_home(plain_values());
  values["environment.working-directory"] = {"~/data sets"};
  values["environment.prologue"] = {"export FROM=$(ls)\n"};

  CHECK(node.run(job("slurm.sbatch", values)) == 0);

  INFO(node.output);
  CHECK(node.file("said") == node.folder.string() + "/data sets there\n");

  values["environment.working-directory"] = {"/no/such/folder"};
  CHECK(node.run(job("slurm.sbatch", values)) == 1);
  CHECK(node.status_file().find("failed working-directory /no/such/folder\n") != std::string::npos);
}

TEST_CASE("where the set-up looks for its programs environment.variables can say") {
  Node node;
  node.has("Rscript", "echo \"$MODULES $TMPDIR\" >said");
  write(node.folder / "modules/init/bash", "module() { export MODULES=$2; }\n");
  TemplateValues values = node.at_home(plain_values());
  values["environment.modules"] = {"R/4.3"};
  values["environment.variables.MODULESHOME"] = {"~/modules"};
  values["environment.variables.TMPDIR"] = {"~/t $x"};

  CHECK(node.run(job("slurm.sbatch", values)) == 0);

  INFO(node.output);
  CHECK(node.file("said") == "R/4.3 " + node.folder.string() + "/t $x\n");
}

TEST_CASE("whatever a profile says of the environment stays a word") {
  Node node;
  node.has("Rscript", "exit 0");
  node.has("apptainer", "printf 'image=%s\\0' \"$2\" >>said; shift 2; exec \"$@\"");
  std::string functions =
      "module() { printf 'module=%s\\0' \"$2\" >>said; }; conda() { printf '%s=%s\\0' \"$1\" \"$2\" >>said; "
      "};"
      "spack() { printf 'spack=%s\\0' \"$2\" >>said; }; export -f module conda spack; export BASH_ENV=;";
  for (const std::string& word : test::nasty) {
    if (word.empty() || word == "~" || word == "\r") continue;
    INFO("word: " << word);
    fs::remove(node.folder / "said");
    TemplateValues values = node.at_home(plain_values());
    for (const char* key : {"modules", "conda", "spack", "variables.TOLD"}) {
      values[std::string("environment.") + key] = {word};
    }
    values["environment.apptainer"] = {"docker://" + word};
    values["environment.prologue"] = {"printf 'told=%s\\0' \"$TOLD\" >>said"};
    CHECK(node.run(job("slurm.sbatch", values), functions) == 0);
    std::string nul(1, '\0'), image = "image=docker://" + word + nul;
    CHECK(node.file("said") == "module=" + word + nul + "shell.posix=hook" + nul + "activate=" + word + nul +
                                   "spack=" + word + nul + "told=" + word + nul + image + image);
  }
  CHECK_FALSE(fs::exists(node.folder / "x"));
}

TEST_CASE("threads: none sets no threads") {
  Node node;
  node.has("Rscript", "echo \"${OMP_NUM_THREADS-unset} ${TENKAI_THREADS-unset}\" >said");
  TemplateValues values = node.at_home(plain_values());
  values["threads"] = {"none"};

  CHECK(node.run(job("slurm.sbatch", values)) == 0);

  CHECK(node.file("said") == "unset unset\n");
}
