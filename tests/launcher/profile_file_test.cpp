#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/profile/file.h"

#include "launcher/profile/nearest.h"
#include "tests/catch.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;

TEST_CASE("values of profiles stay the text that was typed") {
  Resolved resolved = resolve({{"f",
                                "profiles:\n  p:\n    launcher: slurm\n    slurm:\n      time: 1:30:00\n"
                                "      partition: no\n      mem: 010\n      account: 1e3\n"}});

  CHECK(resolved.problems.empty());
  CHECK(resolved.value("p", "slurm.time") == "1:30:00");
  CHECK(resolved.value("p", "slurm.partition") == "no");
  CHECK(resolved.value("p", "slurm.mem") == "010");
  CHECK(resolved.value("p", "slurm.account") == "1e3");
}

TEST_CASE("a value of another type is refused with what it must be") {
  CHECK(problem_with("daemons: many") ==
        "f:3:14: daemons must be a whole number in decimal digits, not 'many'; write something like daemons: "
        "8");
  CHECK(
      problem_with("daemons: 010") ==
      "f:3:14: daemons must be a whole number in decimal digits, not '010'; write it without the 0 in front, "
      "which others take for octal");
  CHECK(
      problem_with("launcher: slrum") ==
      "f:3:15: launcher must be one of local, ssh, command, slurm, mpi, not 'slrum'; did you mean 'slurm'?");
  CHECK(problem_with("daemons: [1, 2]") ==
        "f:3:14: daemons must be a whole number in decimal digits, not a list; write it like 8");
  CHECK(problem_with("slurm: {partition: a b}").find("must be a word without blanks, not 'a b'") !=
        std::string::npos);
  CHECK(problem_with("slurm: {partition: --wrap=x}").find("must be a word") != std::string::npos);
  CHECK(problem_with("slurm: {account: \"a\\nb\"}").find("holds a line end or a tab ('a\\nb')") !=
        std::string::npos);
  CHECK(problem_with("url: http://h:1").find("f:3:10: url is no URL") == 0);
  CHECK(problem_with("slurm: now").find("f:3:12: slurm must be a mapping, not a text") == 0);
  CHECK(problem_with("environment: {modules: [a, [b]]}").find("and here is a list") != std::string::npos);
}

TEST_CASE("the types of values know right from wrong") {
  auto duration = [](std::string_view text) {
    return parse_duration(text).value_or(std::chrono::milliseconds(-1)).count();
  };
  CHECK(duration("10") == 10'000);
  CHECK(duration("5min") == 300'000);
  CHECK(duration("1h30min") == 5'400'000);
  CHECK(duration("500ms") == 500);
  for (auto text : {"", "min", "1h30", "30min1h", "1x", "-1s", "1.5h", "99999999999999999999s", "3651d"}) {
    CHECK(duration(text) == -1);
  }
  auto limit = [](std::string_view text) {
    return parse_time_limit(text).value_or(std::chrono::seconds(-1)).count();
  };
  CHECK(limit("90") == 5'400);
  CHECK(limit("90:30") == 5'430);
  CHECK(limit("1:30:05") == 5'405);
  CHECK(limit("2-12") == 216'000);
  CHECK(limit("2-12:30") == 217'800);
  CHECK(limit("2-12:30:01") == 217'801);
  for (auto text : {"", "0", "0-0:00", "UNLIMITED", "INFINITE", "x", "1:x"}) CHECK(limit(text) == -1);
  CHECK(parse_memory("2G") == 2'147'483'648);
  CHECK(parse_memory("1GB") == 1'073'741'824);
  CHECK(parse_memory("3K") == 3'072);
  CHECK(parse_memory("1T") == 1'099'511'627'776);
  CHECK(parse_memory("500") == 524'288'000);
  CHECK(parse_memory("8388608T") == std::uint64_t{1} << 63);
  for (auto text : {"", "G", "-1G", "1.5G", "1 G", "2GiB", "1E", "8388609T", "1234567890123"})
    CHECK_FALSE(parse_memory(text));
  CHECK(parse_flag("yes") == true);
  CHECK(parse_flag("off") == false);
  CHECK_FALSE(parse_flag("0"));
  CHECK(parse_ports("60000-61000")->last == 61000);
  CHECK(parse_ports("5555")->first == 5555);
  for (auto text : {"", "-1", "2-1", "1-", "65536", "0-5", "1-2-3"}) CHECK_FALSE(parse_ports(text));
  for (auto text : {"90", "1:30:00", "90:00", "2-12", "2-12:30", "UNLIMITED"}) {
    CHECK(problem_with("slurm: {time: '" + std::string(text) + "'}").empty());
  }
  for (auto text : {"", "1h", "-1", "1:2:3:4", "1:", "2-", "1;reboot"}) {
    CHECK_FALSE(problem_with("slurm: {time: '" + std::string(text) + "'}").empty());
  }
  for (auto text : {"16G", "500", "1TB"})
    CHECK(problem_with("slurm: {mem: " + std::string(text) + "}").empty());
  for (auto text : {"16 G", "G", "1.5G", "16g"}) {
    CHECK_FALSE(problem_with("slurm: {mem: '" + std::string(text) + "'}").empty());
  }
}

TEST_CASE("an unknown key is refused with the one that was meant") {
  CHECK(problem_with("demons: 8") == "f:3:5: there is no key 'demons'; did you mean 'daemons'?");
  CHECK(problem_with("slurm: {Partiton: x}") ==
        "f:3:13: there is no key 'slurm.Partiton'; did you mean 'partition'?");
  CHECK(problem_with("slurm: {cpus_per_task: 4}").find("did you mean 'cpus-per-task'?") != std::string::npos);
  CHECK(problem_with("partition: x") ==
        "f:3:5: there is no key 'partition'; did you mean 'slurm.partition'?");
  CHECK(problem_with("mpi: {wibble: x}").find("known are listen, program, options") != std::string::npos);
  CHECK(problem_with("slurm.partition: x").find("a '.' stands for a mapping") != std::string::npos);
  CHECK(problem_with("environment: {variables: {1a: x}}").find("no digit in front") != std::string::npos);
  CHECK(problem_of("profile:\n  p:\n")
            .find("f:1:1: there is no 'profile' at the top of a file; did you mean "
                  "'profiles'?") == 0);
}

TEST_CASE("a name that sbatch and others have for it leads to the key, or to the options of sbatch") {
  auto meant = [](const std::string& line) {
    std::string problem = problem_with(line);
    std::size_t at = problem.find("; ");
    return at == problem.npos ? problem : problem.substr(at + 2);
  };
  CHECK(problem_with("slurm: {walltime: 60}") ==
        "f:3:13: there is no key 'slurm.walltime'; did you mean 'slurm.time' (a number alone is minutes)?");
  CHECK(meant("slurm: {memory: 4G}") == "did you mean 'slurm.mem'?");
  CHECK(meant("slurm: {queue: x}") == "did you mean 'slurm.partition'?");
  CHECK(meant("slurm: {cpus: 4}") == "did you mean 'slurm.cpus-per-task'?");
  CHECK(meant("slurm: {Num_Nodes: 4}") == "did you mean 'slurm.nodes'?");
  CHECK(meant("slurm: {ntasks: 4}") == "did you mean 'daemons', outside of every section?");
  CHECK(meant("slurm: {output: x}") == "did you mean 'slurm.logs'?");
  CHECK(meant("slurm: {gres: gpu:1}") ==
        "it is an option of sbatch without a key: write slurm: {options: [--gres=…]}");
  CHECK(meant("constraint: a") ==
        "it is an option of sbatch without a key: write slurm: {options: [--constraint=…]}");
  CHECK(meant("slurm: {exclusive: yes}").find("{options: [--exclusive]}") != std::string::npos);
  CHECK(meant("slurm: {mail_user: me}").find("[--mail-user=…]") != std::string::npos);
  CHECK(meant("walltime: 60") ==
        "did you mean 'slurm.time' (a number alone is minutes), or 'limits.walltime', of each daemon?");
  CHECK(meant("limits: {mem: 4G}") == "did you mean 'limits.memory'?");
  CHECK(meant("retries: {timeout: 1}") == "did you mean 'retries.time_limit'?");
  CHECK(meant("environment: {singularity: x}") == "did you mean 'environment.apptainer'?");
  CHECK(meant("ssh: {hosts: x}") == "did you mean 'ssh.remotes' (ssh://user@host:port)?");
  // What is another launcher's is not meant.
  CHECK(meant("slurm: {client: x}").find("known are partition, ") == 0);
  CHECK(problem_of("caps: {walltime: 60}\n", true).find("known are daemons, ") != std::string::npos);
}

TEST_CASE("a value that no shell reads holds nothing for one") {
  CHECK(problem_with("environment: {lib-paths: [/scratch/$USER/R]}") ==
        "f:3:31: environment.lib-paths holds '$USER', and no shell reads it: it would stay as it is; write "
        "what it stands for, or put it into environment.prologue, which a shell reads");
  for (const char* line :
       {"slurm: {logs: '${HOME}/logs'}", "slurm: {account: $GROUP}", "slurm: {options: [--chdir=$PWD]}",
        "slurm: {options: [--chdir=~/x]}", "environment: {variables: {A: \"$(date)\"}}",
        "environment: {lib-paths: [~other/R]}", "mpi: {options: [~/hosts]}",
        "environment: {modules: [~/x]}"}) {
    INFO(line);
    CHECK(problem_with(line).find(", and no shell reads it") != std::string::npos);
  }
  for (const char* line :
       {"slurm: {logs: ~/logs}", "environment: {lib-paths: [~/R], variables: {A: ~/x, B: 5$, C: a=~b}}",
        "environment: {prologue: 'cd $HOME'}", "command: {program: sh, args: [-c, 'cd $HOME; .']}",
        "environment: {variables: {PRICE: $5}}", "environment: {variables: {COLOUR: it is $red}}"}) {
    INFO(line);
    CHECK(problem_with(line).empty());
  }
}

TEST_CASE("options of sbatch that a launch says itself are refused with the key for them") {
  for (const auto& [option, key] :
       std::vector<std::pair<std::string, std::string>>{{"--output=a", "slurm.logs names"},
                                                        {"-oa", "slurm.logs names"},
                                                        {"--out", "slurm.logs names"},
                                                        {"-e", "slurm.logs names"},
                                                        {"--open-mode=truncate", "slurm.logs names"},
                                                        {"--array=0-3", "slurm.array-chunk"},
                                                        {"-n4", "daemons says how many"},
                                                        {"--nodes=2", "slurm.nodes asks"},
                                                        {"-c2", "slurm.cpus-per-task is"},
                                                        {"--gpus-per-task=1", "slurm.gpus-per-task is"},
                                                        {"--job-name=x", "slurm.job-tag: comment"},
                                                        {"-W", "take it out"},
                                                        {"--test-only", "take it out"}}) {
    INFO(option);
    std::string problem = problem_with("slurm: {options: ['" + option + "']}");
    CHECK(problem.find("f:3:22: slurm.options has " + option + ", which is not to be said there") == 0);
    CHECK(problem.find(key) != std::string::npos);
  }
  CHECK(problem_with("slurm: {options: [--exclusive, --nodelist=n1, --wait-all-nodes=1, -C, a, "
                     "--ntasks-per-core=1, --gpus=2]}")
            .empty());
  CHECK(problem_with("slurm: {job-tag: comment, options: [--job-name=x]}").empty());
  CHECK(problem_with("slurm: {options: [--comment=x]}").empty());
  CHECK(problem_with("slurm: {job-tag: comment, options: [--comment=x]}").find("job-tag: name") !=
        std::string::npos);
}

TEST_CASE("a key under the name it had before is read, with a warning") {
  Problems problems;
  std::string text = "profiles:\n  p:\n    slurm: {carrier: comment}\nlocks: [profiles.p.slurm.carrier]\n";

  ProfileFile file = read_profile_file("f", text, true, 0, problems);

  CHECK(problems.empty());
  CHECK(file.profiles.at("p").values.at("slurm.job-tag").text() == "comment");
  CHECK(file.locks.at(0).path == "slurm.job-tag");
  REQUIRE(file.warnings.size() == 2);
  CHECK(to_string(file.warnings[0]) ==
        "f:3:13: slurm.carrier is called slurm.job-tag now; rename it, the next version does not know the "
        "old name");
}

TEST_CASE("a notice for the steps of a job array, which has none, is refused") {
  CHECK(problem_with("slurm: {signal: USR1@60}") ==
        "f:3:21: profile 'p' has slurm.signal: USR1@60, which Slurm tells nobody but steps, and a job array "
        "has "
        "none; write B:USR1@60");
  CHECK(problem_with("slurm: {signal: R:USR1}").find("write B:USR1") != std::string::npos);
  for (const char* line : {"slurm: {signal: B:USR1@60}", "slurm: {signal: BR:USR1}",
                           "slurm: {signal: USR1@60, nodes: 2}", "slurm: {signal: USR1, template: own}"}) {
    INFO(line);
    CHECK(problem_with(line).empty());
  }
}

TEST_CASE("a name is near when few letters differ") {
  CHECK(nearest("dameons", {"daemons", "url"}) == "daemons");
  CHECK(nearest("x", {"daemons", "url"}) == "");
  CHECK(nearest("URL", {"daemons", "url"}) == "url");
  CHECK(nearest(std::string(100'000, 'x'), {"daemons"}) == "");
}

TEST_CASE("everything that is wrong in a file is told at once") {
  CHECK(problem_of("profiles:\n  p:\n    demons: 1\n    tls: maybe\n  1q: {}\nlocks: []\n") ==
        "f:3:5: there is no key 'demons'; did you mean 'daemons'?\n"
        "f:4:10: tls must be yes or no, not 'maybe'; write something like tls: no\n"
        "f:5:3: '1q' is no name of a profile; write a letter and up to 63 letters, digits, '-' and '_'\n"
        "f:6:1: locks belong into a site's file, and this is none; remove them (the site's are "
        "etc/tenkai.yaml of "
        "the installation and /etc/tenkai/*.yaml)");
}

TEST_CASE("a lock names what there is") {
  auto lock = [](const std::string& text) { return problem_of("locks: [" + text + "]\n", true); };

  CHECK(lock("profiles.gpu.slurm.partition, profiles.*.slurm, profiles.gpu").empty());
  CHECK(lock("gpu.slurm").find("f:1:9: 'gpu.slurm' is nothing that can be locked; write profiles.NAME.KEY") ==
        0);
  CHECK(lock("profiles.gpu.slurm.partiton").find("did you mean 'partition'?") != std::string::npos);
  CHECK(problem_of("locks: {a: b}\n", true).find("f:1:8: locks must be a list") == 0);
}
