#include "plugins/slurm/job_script.h"

#include <algorithm>
#include <map>
#include <utility>

#include "plugins/slurm/job_folder.h"
#include "plugins/slurm/queue_poller.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

namespace {

LaunchRequest request_of(std::map<std::string, std::vector<std::string>> options = {}) {
  LaunchRequest request;
  request.number = 7;
  request.profile = "gpu";
  request.session = "4f1c2b";
  request.daemons = 8;
  request.agents = 4;
  request.chunk = 2;
  request.command = {"Rscript", "-e", "x"};
  request.options = std::move(options);
  return request;
}

const Batch first{0, 4, "tenkai-gpu-4f1c2b-7"};

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("a job's name says whose it is, and no byte of it is anything else") {
  LaunchRequest request = request_of();
  CHECK(job_tag_of(request) == "tenkai-gpu-4f1c2b-7");
  request.profile = "g|p,u $(id)";
  CHECK(job_tag_of(request) == "tenkai-gpuid-4f1c2b-7");
}

TEST_CASE("options that are no keys, or no values of theirs, are refused") {
  auto says = [](const std::string& path, std::vector<std::string> texts) {
    Result<Done> checked = check_options(request_of({{path, std::move(texts)}}));
    return checked ? std::string("good") : checked.error().message;
  };
  CHECK(says("environment.lib_paths", {"/a"}) ==
        "there is no 'environment.lib_paths'; did you mean 'lib-paths'?");
  CHECK(says("environment.", {"/a"}).starts_with("there is no 'environment.'; known are modules, "));
  CHECK(says("slurm.cpus-per-task", {"x"}).starts_with("slurm.cpus-per-task must be a whole number"));
  CHECK(says("slurm.partition", {"a", "b"}) == "slurm.partition has 2 values, and takes one; leave one");
  CHECK(says("threads", {"many"}).starts_with("threads must be a whole number"));

  CHECK(says("environment.modules", {"R/4.3", "gcc"}) == "good");
  CHECK(says("environment.variables.A", {""}) == "good");
  CHECK(says("slurm.allocation", {"1"}) == "good");
  CHECK(says("caps.submissions-per-minute", {"4"}) == "good");
}

TEST_CASE("an agent has the processors of all of its daemons") {
  TemplateValues values = script_values(
      request_of({{"slurm.cpus-per-task", {"3"}}, {"slurm.gpus-per-task", {"a100:1"}}}), first, "0-3", "/f");

  CHECK(values["launch.cpus"] == std::vector<std::string>{"6"});
  CHECK(values["launch.threads"] == std::vector<std::string>{"3"});
  CHECK(values["launch.gpus"] == std::vector<std::string>{"a100:2"});
  CHECK(values["launch.ntasks"] == std::vector<std::string>{"1"});
  CHECK(values["launch.array"] == std::vector<std::string>{"0-3"});
  CHECK(values["launch.log"] == std::vector<std::string>{"/f/logs/%A_%a.log"});
  CHECK(values["slurm.cpus-per-task"] == std::vector<std::string>{"3"});
}

TEST_CASE("a job over nodes has a rank for each agent, and no array") {
  TemplateValues values = script_values(request_of({{"slurm.nodes", {"2"}}}), first, "", "/f");

  CHECK(values["launch.ntasks"] == std::vector<std::string>{"4"});
  CHECK(values.count("launch.array") == 0);
  CHECK(values["launch.log"] == std::vector<std::string>{"/f/logs/%j.log"});
}

TEST_CASE("a later batch begins with a later rank") {
  TemplateValues values = script_values(request_of(), {1000, 4, "c"}, "0-3", "/f");

  CHECK(values["launch.rank-offset"] == std::vector<std::string>{"1000"});
}

TEST_CASE("graphics processors are multiplied, of every kind") {
  CHECK(times_gpus("1", 3) == "3");
  CHECK(times_gpus("a100:2", 2) == "a100:4");
  CHECK(times_gpus("a100", 2) == "a100:2");
  CHECK(times_gpus("a100:1,h100:2", 2) == "a100:2,h100:4");
}

TEST_CASE("the word that tells whose a job is goes where the site wants it") {
  auto argv = sbatch_argv(request_of(), first, "0-3", {}, {}, "/f/s");
  REQUIRE(argv);
  CHECK(*argv == std::vector<std::string>{"sbatch", "--parsable", "--job-name=tenkai-gpu-4f1c2b-7",
                                          "--array=0-3", "--output=tenkai-%A_%a.log", "/f/s"});

  LaunchRequest by_comment = request_of({{"slurm.job-tag", {"comment"}}});
  argv = sbatch_argv(by_comment, first, "", {}, {}, "/f/s");
  REQUIRE(argv);
  CHECK(*argv == std::vector<std::string>{"sbatch", "--parsable", "--comment=tenkai-gpu-4f1c2b-7",
                                          "--output=tenkai-%A_%a.log", "/f/s"});
  CHECK(script_values(by_comment, first, "", "/f")["launch.name"] == std::vector<std::string>{"tenkai-gpu"});
}

TEST_CASE("a job asks for no node on which no agent would be") {
  LaunchRequest request = request_of({{"slurm.nodes", {"9"}}});
  CHECK(script_values(request, first, "", "/f")["slurm.nodes"] ==
        std::vector<std::string>{std::to_string(request.agents)});
}

TEST_CASE("nodes that are left out are so together with the user's own") {
  JobScript script{"", {"--exclude=a", "--time=1", "-x", "b"}};
  auto argv = sbatch_argv(request_of(), first, "", script, {"n1", "n2"}, "");
  REQUIRE(argv);
  CHECK(holds(*argv, "--exclude=b,n1,n2"));
}

TEST_CASE("nodes that a launch leaves out are so whatever template and options say, and once") {
  LaunchRequest request = request_of({{"launch.exclude", {"n2,n3"}}});
  auto argv = sbatch_argv(request, first, "", {"", {"--exclude=a"}}, {"n1", "n2"}, "");
  REQUIRE(argv);
  CHECK(holds(*argv, "--exclude=a,n1,n2,n3"));

  argv = sbatch_argv(request, first, "", {"", {"--exclude=n2,n3"}}, {}, "");
  REQUIRE(argv);
  CHECK(holds(*argv, "--exclude=n2,n3"));
}

TEST_CASE("a submission that would wait for its job is refused") {
  CHECK_FALSE(sbatch_argv(request_of(), first, "", {"", {"--wait"}}, {}, ""));
  CHECK_FALSE(sbatch_argv(request_of(), first, "", {"", {"-W"}}, {}, ""));
  CHECK(sbatch_argv(request_of(), first, "", {"", {"--wait-all-nodes=1"}}, {}, ""));
}

TEST_CASE("a job's output goes where the reason of a failure is looked for, or the job is refused") {
  LaunchRequest request = request_of();
  request.folder = "/f";
  auto argv_of = [&request](std::vector<std::string> directives) {
    return sbatch_argv(request, first, "0-3", {"", std::move(directives)}, {}, "/f/s");
  };
  const std::string log = "/f/logs/%A_%a.log";
  CHECK(holds(*argv_of({}), "--output=" + log));
  CHECK_FALSE(holds(*argv_of({"--output=" + log}), "--output=" + log));
  CHECK(argv_of({"-o", log}));
  for (const std::vector<std::string>& directives : std::vector<std::vector<std::string>>{
           {"--output=mine.log"}, {"-o", "mine.log"}, {"--error=mine.err"}}) {
    Result<std::vector<std::string>> argv = argv_of(directives);
    REQUIRE_FALSE(argv);
    CHECK(argv.error().message.find("nobody can read why a job has failed") != std::string::npos);
  }

  Result<Done> options = check_options(request_of({{"slurm.options", {"--exclusive", "--output=mine.log"}}}));
  REQUIRE_FALSE(options);
  CHECK(options.error().message.find("slurm.logs names a folder") != std::string::npos);
  CHECK(check_options(request_of({{"slurm.options", {"--exclusive"}}})));
}

TEST_CASE("what is to be pasted ends where the script ends") {
  CHECK(paste_text({"sbatch", "--comment=a b"}, "#!/bin/sh\ntrue\n") ==
        "sbatch '--comment=a b' <<'TENKAI'\n#!/bin/sh\ntrue\nTENKAI");
  CHECK(paste_text({"sbatch"}, "TENKAI\n") == "sbatch <<'TENKAI_'\nTENKAI\nTENKAI_");
}

TEST_CASE("a folder with a percent sign is no pattern of Slurm's") {
  CHECK(log_pattern("/a%jb/logs", true) == "/a%%jb/logs/%j.log");
  CHECK(log_pattern("", false) == "tenkai-%A_%a.log");
}

TEST_CASE("squeue is asked for all names at once") {
  auto argv = queue_argv({"a", "b"}, false, {});
  CHECK(holds(argv, "--name=a,b"));
  CHECK(holds(argv, "--states=all"));
  CHECK(argv.back() == "%i|%T|%r|%N|%j");

  argv = queue_argv({"a", "b"}, true, {"alpha", "beta"});
  CHECK_FALSE(holds(argv, "--name=a,b"));
  CHECK(holds(argv, "--clusters=alpha,beta"));
  CHECK(argv.back() == "%i|%T|%r|%N|%j|%k");
}

TEST_CASE("a session as a job has room for each daemon, evenly on its nodes") {
  LaunchRequest request = request_of({{"slurm.run", {"1"}},
                                      {"slurm.nodes", {"3"}},
                                      {"slurm.cpus-per-task", {"2"}},
                                      {"slurm.run-log", {"x-%j.log"}}});
  request.agents = 1;
  TemplateValues values = script_values(request, {0, 1, "tenkai-run"}, "", "/f");

  CHECK_FALSE(has_ranks(request));
  CHECK(is_one_job(request));
  CHECK(values["launch.ntasks"] == std::vector<std::string>{"8"});
  CHECK(values["launch.tasks-per-node"] == std::vector<std::string>{"3"});
  CHECK(values["launch.cpus"] == std::vector<std::string>{"2"});
  CHECK(values["launch.log"] == std::vector<std::string>{"x-%j.log"});

  request.options.erase("slurm.nodes");
  CHECK(script_values(request, {0, 1, "tenkai-run"}, "", "/f").count("launch.tasks-per-node") == 0);
}
