// Our job scripts: what they become, how far they tell that they have come, how they end.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/r_call.h"
#include "base/version.h"
#include "tests/launcher/job_node.h"

using namespace tenkai;
using namespace tenkai::tests;

TEST_CASE("our templates become these job scripts") {
  check_golden("array", job("slurm.sbatch", plain_values()));
  check_golden("array-full", job("slurm.sbatch", full_values()));
  check_golden("nodes", job("slurm-nodes.sbatch", nodes(plain_values())));
  check_golden("nodes-full", job("slurm-nodes.sbatch", nodes(full_values())));
  check_golden("mpi", job("mpi.sbatch", nodes(plain_values())));
  check_golden("step", job("slurm-step.sh", nodes(plain_values())));
  check_golden("run", job("slurm-run.sbatch", nodes(plain_values())));
}

TEST_CASE("the directives of our template are those of the profile and the launch") {
  std::vector<std::string> words{"--job-name=tenkai-cpu-4f1c",
                                 "--array=0-15",
                                 "--nodes=1",
                                 "--ntasks=1",
                                 "--cpus-per-task=4",
                                 "--gpus-per-task=a100:2",
                                 "--mem=16G",
                                 "--time=1:30:00",
                                 "--partition=gpu",
                                 "--account=proj42",
                                 "--qos=normal",
                                 "--output=/home/me/.cache/tenkai/launch-1/log-%A_%a",
                                 "--open-mode=append",
                                 "--no-requeue",
                                 "--exclude=n3,n7",
                                 "--signal=B:USR1@60",
                                 "--comment=it's \"ours\" # 4f1c",
                                 "--exclusive",
                                 "--constraint=a&b"};

  CHECK(job("slurm.sbatch", full_values()).directives == words);
}

TEST_CASE("memory may be asked for by processor in each of our templates of jobs") {
  TemplateValues values = plain_values();
  values["slurm.mem-per-cpu"] = {"4G"};
  for (const char* name : {"slurm.sbatch", "slurm-nodes.sbatch", "slurm-run.sbatch", "mpi.sbatch"}) {
    std::vector<std::string> words =
        job(name, std::string_view(name) == "slurm.sbatch" ? values : nodes(values)).directives;
    CAPTURE(name);
    CHECK(std::count(words.begin(), words.end(), "--mem-per-cpu=4G") == 1);
  }
}

TEST_CASE("a job tells how far it has come, and ends as its agent does") {
  Node node;
  node.has("Rscript",
           "printf '%s\\0' \"$TENKAI_RANK\" \"$TENKAI_THREADS\" \"$OMP_NUM_THREADS\" \"${R_HOME-none}\" "
           "\"$SLURM_EXPORT_ENV\" \"$@\" >said; exit 5");
  TemplateValues values = node.at_home(plain_values());
  values["launch.rank-offset"] = {"64"};

  CHECK(node.run(job("slurm.sbatch", values), "R_HOME=/other/R") == 5);

  INFO(node.output);
  CHECK(node.status_file() ==
        "started n1 0\nready\nrscript " + (node.folder / "bin/Rscript").string() + "\nexit 5\n");
  CHECK(node.file("said") ==
        std::string(
            "67\0001\0001\000none\000ALL\000-e\000tenkai::agent('@/home/me/.cache/tenkai/launch-1/key')\0",
            73));
  CHECK((fs::status(node.folder / "launch/status/7_3").permissions() & fs::perms::mask) == fs::perms(0600));
}

TEST_CASE("an agent starts without R where the session's program is there") {
  Node node;
  node.has("Rscript", "echo R >>said");
  TemplateValues values = node.at_home(plain_values());
  std::string program = (node.folder / "it's tenkai").string();
  values["launch.program"] = {program, "agent", "--rscript"};
  auto said = [&](const std::string& code) {
    if (!code.empty()) write(program, "#!/bin/sh\n" + code, true);
    CHECK(node.run(job("slurm.sbatch", values), "A=b") == 0);
    INFO(node.output);
    return node.file("said");
  };
  const std::string version(program_version);

  CHECK(said("") == "R\n");
  CHECK(said("echo 0.0.1") == "R\nR\n");
  CHECK(said("exit 127") == "R\nR\nR\n");
  std::string as_ours = "[ \"$1\" = --version ] && echo " + version + " || echo \"$@\" >said";
  CHECK(said(as_ours) == "agent --rscript " + (node.folder / "bin/Rscript").string() + "\n");

  SECTION("what is outside of a container may not run in it") {
    values["environment.apptainer"] = {"docker://r"};
    node.has("apptainer", "shift 2; exec \"$@\"");
    CHECK(said(as_ours).ends_with("R\n"));
  }
}

TEST_CASE("R of a job may bring tenkai along first") {
  Node node;
  node.has("Rscript", "printf '%s\\n' \"$TENKAI_BRING\" \"$@\" >said");
  TemplateValues values = node.at_home(plain_values());
  values["launch.bring"] = {"/home/it's me/bring/in_job.R"};

  CHECK(node.run(job("slurm.sbatch", values)) == 0);

  INFO(node.output);
  CHECK(node.file("said") == "/home/it's me/bring/in_job.R\n-e\n" + std::string(bringing_call) +
                                 "\n-e\ntenkai::agent('@/home/me/.cache/tenkai/launch-1/key')\n");
}

TEST_CASE("a job that is no array, and one that was requeued, say so") {
  Node node;
  node.has("Rscript", "exit 0");

  CHECK(node.run(job("slurm.sbatch", node.at_home(plain_values())), "", "SLURM_RESTART_COUNT=2") == 0);

  CHECK(node.status_file("8_0").starts_with("started n1 2\n"));
}

TEST_CASE("a job whose status file cannot be written runs all the same") {
  Node node;
  node.has("Rscript", "exit 3");
  // Its session has gone, and the folder with it.
  fs::remove_all(node.folder / "launch");

  CHECK(node.run(job("slurm.sbatch", node.at_home(plain_values()))) == 3);
  CHECK(node.output.empty());
  CHECK_FALSE(fs::exists(node.folder / "launch"));

  write(node.folder / "launch", "a file");
  CHECK(node.run(job("slurm.sbatch", node.at_home(plain_values()))) == 3);
  CHECK(node.output.empty());
}

TEST_CASE("a job without R says so") {
  Node node;
  TemplateValues values = node.at_home(plain_values());
  values["environment.rscript"] = {"Rscript-9.9"};

  CHECK(node.run(job("slurm.sbatch", values)) == 127);

  CHECK(node.status_file() == "started n1 0\nready\nfailed rscript Rscript-9.9\nexit 127\n");
  CHECK(node.output.find("tenkai: 'Rscript-9.9' is not there on this node") == 0);
}

TEST_CASE("a job hands TERM to its agent and waits for it") {
  Node node;
  node.has("Rscript",
           "trap 'echo term >>said; sleep 0.2; exit 9' TERM; kill -TERM $PPID; for i in {1..100}; do sleep "
           "0.1; done");

  CHECK(node.run(job("slurm.sbatch", node.at_home(plain_values()))) == 9);

  CHECK(node.file("said") == "term\n");
  CHECK(node.status_file().ends_with("exit 9\n"));
}

TEST_CASE("a job hands notices of its end on to its agent, as often as they come") {
  Node node;
  // As an agent does: bash cannot trap what it was started to ignore.
  node.has("Rscript",
           "exec perl -e '$| = 1; open(S, \">>said\"); for $s (\"USR1\", \"USR2\") {\n"
           "  $SIG{$s} = sub { syswrite(S, \"$_[0]\\n\") } }\n"
           "for $s (\"USR1\", \"USR2\", \"USR1\") { kill $s, getppid; $size += 5;\n"
           "  for (1..2000) { last if -s \"said\" >= $size; select(undef, undef, undef, 0.01) } } exit 4'");

  for (const char* before : {"", "set -eu\nIFS=,\n"}) {
    TemplateValues values = node.at_home(plain_values());
    values["environment.prologue"] = {before};
    CHECK(node.run(job("slurm.sbatch", values)) == 4);

    CHECK(node.file("said") == "USR1\nUSR2\nUSR1\n");
    CHECK(node.status_file().ends_with("exit 4\n"));
    fs::remove(node.folder / "said");
  }
}

TEST_CASE("a notice for an agent that has ended changes nothing, even where any failure is the end") {
  std::string script = *status_file_script(plain_values());

  std::string line = "bash -c " + shell_quote("set -eu\nSLURM_JOB_ID=1\n" + script +
                                              "\nagent=999999999; hand_on USR1; exit 4");
  CHECK(std::system(line.c_str()) == 4 << 8);
}

TEST_CASE("a notice that comes before there is an agent ends nothing") {
  Node node;
  node.has("Rscript", "kill -USR1 $$; kill -USR2 $$; echo agent >said; exit 4");
  TemplateValues values = node.at_home(plain_values());
  values["environment.prologue"] = {"kill -USR1 $$\nkill -USR2 $$\nsh -c 'kill -USR1 $$'\n"};

  CHECK(node.run(job("slurm.sbatch", values)) == 4);

  CHECK(node.file("said") == "agent\n");
}

TEST_CASE("the session that is a job itself is not told: R would quit") {
  Node node;
  node.has("Rscript",
           "exec perl -e '$SIG{USR1} = sub { open(S, \">said\") }; kill \"USR1\", getppid;\n"
           "select(undef, undef, undef, 0.3); exit 4'");

  CHECK(node.run(job("slurm-run.sbatch", node.at_home(nodes(plain_values())))) == 4);

  CHECK_FALSE(fs::exists(node.folder / "said"));
}

TEST_CASE("a prologue that cleans up at the exit keeps no job from telling how it ended") {
  Node node;
  TemplateValues values = node.at_home(plain_values());
  values["environment.rscript"] = {"Rscriptless"};
  for (const char* prologue :
       {"trap 'echo gone $? >said' EXIT\n", "set -eu\ntrap 'false; echo gone $? >said' 0\n"}) {
    INFO(prologue);
    values["environment.prologue"] = {prologue};
    fs::remove(node.folder / "launch/status/7_3");

    CHECK(node.run(job("slurm.sbatch", values)) == 127);

    INFO(node.output);
    CHECK(node.status_file() == "started n1 0\nprologue\nready\nfailed rscript Rscriptless\nexit 127\n");
    CHECK(node.file("said").starts_with("gone "));
  }
  values["environment.prologue"] = {"trap 'echo gone >said' EXIT\nexit 3\n"};
  fs::remove(node.folder / "launch/status/7_3");
  CHECK(node.run(job("slurm.sbatch", values)) == 3);
  CHECK(node.status_file() == "started n1 0\nprologue\nexit 3\n");
  values["environment.prologue"] = {"(trap 'true' EXIT; true)\ntrap 'true' EXIT\ntrap - EXIT\n"};
  fs::remove(node.folder / "launch/status/7_3");
  CHECK(node.run(job("slurm.sbatch", values)) == 127);
  CHECK(node.status_file() == "started n1 0\nprologue\nready\nfailed rscript Rscriptless\nexit 127\n");
}

TEST_CASE("a prologue that asks for the end at any failure, or changes IFS, changes nothing of ours") {
  Node node;
  node.has("Rscript",
           "trap 'echo term >>said; sleep 0.2; exit 9' TERM; kill -TERM $PPID; for i in {1..100}; do sleep "
           "0.1; done");
  TemplateValues values = node.at_home(plain_values());
  values["environment.prologue"] = {"set -eu\nIFS=,\n"};

  CHECK(node.run(job("slurm.sbatch", values)) == 9);

  CHECK(node.file("said") == "term\n");
  CHECK(node.status_file().starts_with("started n1 0\nprologue\nready\nrscript /"));
  CHECK(node.status_file().ends_with("exit 9\n"));
}

TEST_CASE("a job that is ended before its agent runs does not say that it ended well") {
  Node node;
  TemplateValues values = node.at_home(plain_values());
  values["environment.prologue"] = {"kill -TERM $$\n"};

  CHECK(node.run(job("slurm.sbatch", values)) == 143);

  CHECK(node.status_file() == "started n1 0\nprologue\nexit 143\n");
}

TEST_CASE("a job knows when it ends: by its time, else it asks") {
  Node node;
  node.has("Rscript", "echo \"$TENKAI_JOB_END\" >said");
  node.has("squeue", "echo \"$*\" >>asked; echo 2033-05-18T03:33:20");
  TemplateValues values = node.at_home(plain_values());

  for (const char* name : {"slurm.sbatch", "slurm-nodes.sbatch"}) {
    node.has("srun", "Rscript");
    values["slurm.nodes"] = {"1"};
    CHECK(node.run(job(name, values), "", "TZ=UTC") == 0);
    CHECK(node.file("said") == "2000000000\n");
  }
  CHECK(node.file("asked") == "-h -j 8 -o %e\n-h -j 8 -o %e\n");

  values["launch.seconds"] = {"3600"};
  auto begun = std::time(nullptr);
  CHECK(node.run(job("slurm.sbatch", values)) == 0);
  long told = std::atol(node.file("said").c_str());
  CHECK(told >= begun + 3600);
  CHECK(told < begun + 3660);
  CHECK(node.file("asked") == "-h -j 8 -o %e\n-h -j 8 -o %e\n");
}

TEST_CASE("a job does not wait for a controller that does not say when it ends") {
  Node node;
  node.has("Rscript", "");
  node.has("srun", "echo \"$TENKAI_JOB_END\" >said");
  node.has("squeue", "exec sleep 60");

  CHECK(node.run(job("slurm-step.sh", node.at_home(nodes(plain_values())))) == 0);

  CHECK(node.file("said") == "\n");
}

TEST_CASE("what MPI spawns in a job has its number, its status file and its log") {
  Node node;
  node.has("mpirun",
           "echo \"$1 $2 $3 $4\" >options; shift 4\n"
           "for i in 0 1 2; do TENKAI_RANK=$i SLURMD_NODENAME=n$i \"$@\" & done; wait; exit 4");
  node.has("Rscript", "echo \"$TENKAI_RANK $2\"; declare -F");
  TemplateValues values = node.at_home(nodes(plain_values()));
  values["launch.rank-offset"] = {"10"};
  values["launch.log"] = {(node.folder / "50%%/%j.log").string()};
  std::filesystem::create_directory(node.folder / "50%");

  CHECK(node.run(job("mpi.sbatch", values), "", "A=b") == 4);

  INFO(node.output);
  std::string rscript = "rscript " + (node.folder / "bin/Rscript").string() + "\n";
  CHECK(node.status_file("8") == "started n1 0\nready\n" + rscript + "exit 4\n");
  CHECK(node.status_file("8_2") == "started n2 0\nready\n" + rscript);
  CHECK(node.file("50%/8.log.2") == "12 tenkai::agent('@/home/me/.cache/tenkai/launch-1/key')\n");
  CHECK(node.file("options") == "-n 1 /opt/tenkai/libexec/tenkai/tenkai-mpi-spawn 3\n");
}

TEST_CASE("a template with the names of the version before does the same") {
  Node node;
  node.has("srun",
           "while [[ $1 == --* ]]; do shift; done\n"
           "for i in 0 1; do SLURM_PROCID=$i SLURMD_NODENAME=n$i \"$@\" & done; wait; exit 4");
  node.has("Rscript", "declare -F >\"functions\"");
  std::string text = text_of(checkout / "templates" / "slurm-nodes.sbatch");
  for (auto [now, before] :
       {std::pair("launch.status-file", "launch.beacons"), std::pair("write_status", "beacon"),
        std::pair("status_folder", "beacon_folder"), std::pair("status_file", "beacon_file")}) {
    std::string name = now;
    for (std::size_t at = text.find(name); at != text.npos; at = text.find(name))
      text.replace(at, name.size(), before);
  }

  CHECK(node.run(job_of("old", text, node.at_home(nodes(plain_values()))), "", "A=b") == 4);

  INFO(node.output);
  std::string rscript = "rscript " + (node.folder / "bin/Rscript").string() + "\n";
  CHECK(node.status_file("8") == "started n1 0\nready\n" + rscript + "exit 4\n");
  CHECK(node.status_file("8_1") == "started n1 0\nready\n" + rscript);
  CHECK(node.file("functions").empty());
  CHECK(node.output == "tenkai: launch.beacons is called launch.status-file now, and beacon write_status\n");
}

TEST_CASE("one job over several nodes has status files for itself and for each agent") {
  Node node;
  node.has("srun",
           "while [[ $1 == --* ]]; do echo \"$1\" >>options; shift; done\n"
           "for i in 0 1 2; do SLURM_PROCID=$i SLURMD_NODENAME=n$i \"$@\" & done; wait; exit 4");
  node.has("Rscript", "echo \"$TENKAI_RANK $2\" >\"said$SLURM_PROCID\"; declare -F >\"functions\"");

  CHECK(node.run(job("slurm-nodes.sbatch", node.at_home(nodes(plain_values()))), "", "A=b") == 4);

  INFO(node.output);
  std::string rscript = "rscript " + (node.folder / "bin/Rscript").string() + "\n";
  CHECK(node.status_file("8") == "started n1 0\nready\n" + rscript + "exit 4\n");
  CHECK(node.status_file("8_2") == "started n2 0\nready\n" + rscript);
  CHECK(node.file("said2") == "2 tenkai::agent('@/home/me/.cache/tenkai/launch-1/key')\n");
  CHECK(node.file("functions").empty());
  CHECK(node.file("options") ==
        "--overlap\n--wait=0\n--kill-on-bad-exit=0\n--unbuffered\n--open-mode=append\n"
        "--nodes=2\n--ntasks=3\n--cpus-per-task=4\n--output=" +
            (node.folder / "log").string() + ".%t\n");
}

TEST_CASE("what cannot be set in a shell is refused") {
  TemplateValues values = plain_values();
  values["environment.variables.A-B"] = {"x"};
  CHECK_FALSE(environment_script(values));
  values = plain_values();
  values["environment.lib-paths"] = {"/a:/b"};
  CHECK_FALSE(environment_script(values));
  CHECK_FALSE(status_file_script({}));
}

TEST_CASE(
    "templates are found beside the program and in one's own folder, and not in the working directory") {
  Node node;
  std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  ::setenv("HOME", node.folder.c_str(), 1);
  write(node.folder / "prefix/share/tenkai/templates/slurm.sbatch", "#!/bin/sh\n");
  std::string program = (node.folder / "prefix/bin/tenkai").string();

  Result<FoundTemplate> found = find_template("slurm.sbatch", program);
  REQUIRE(found);
  CHECK(found->path == (node.folder / "prefix/share/tenkai/templates/slurm.sbatch").string());
  CHECK(find_template("slurm.sbatch", fs::canonical(checkout).string() + "/build/bin/tenkai"));
  write(node.folder / ".config/tenkai/templates/slurm.sbatch", "#!/bin/bash\n");
  found = find_template("slurm.sbatch", program);
  REQUIRE(found);
  CHECK(found->text == "#!/bin/bash\n");
  write(node.folder / "job", "#!/bin/sh\n");
  CHECK(find_template("~/job", program)->path == (node.folder / "job").string());
  CHECK_FALSE(find_template("job", program));
  CHECK_FALSE(find_template("./nowhere", program));
  CHECK_FALSE(find_template("", program));
  ::chmod(found->path.c_str(), 0666);
  CHECK_FALSE(find_template("slurm.sbatch", program));
  // Where the program is all there is, it has ours.
  found = find_template("slurm-nodes.sbatch", "/nowhere/tenkai");
  REQUIRE(found);
  CHECK(found->text == text_of(checkout / "templates" / "slurm-nodes.sbatch"));
  ::setenv("HOME", home.c_str(), 1);
}

TEST_CASE("the template that docs/templates.md shows is right") {
  std::string document = text_of(checkout / "docs" / "templates.md");
  std::size_t begin = document.find("```sh\n#!/bin/bash\n");
  REQUIRE(begin != document.npos);
  std::string text = document.substr(begin + 6, document.find("\n```", begin) - begin - 5);
  Node node;
  node.has("Rscript", "exit 6");
  Result<TemplateValues> values = with_shell_code(node.at_home(plain_values()));
  REQUIRE(values);

  // The scratch of a cluster is not here.
  std::size_t scratch = text.find("TMPDIR=/scratch/");
  REQUIRE(scratch != text.npos);
  text.replace(scratch, 16, "TMPDIR=$HOME/");
  Result<JobScript> script = render_template("docs", text, *values);

  INFO((script ? "" : script.error().message));
  REQUIRE(script);
  CHECK(node.run(*script) == 6);
  CHECK(node.status_file().ends_with("exit 6\n"));
}
