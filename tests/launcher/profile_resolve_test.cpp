#include <string>
#include <vector>

#include "launcher/profile/profiles.h"
#include "tests/catch.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;

namespace {

using Lines = std::vector<std::string>;

const std::string site =
    "profiles:\n"
    "  base: {slurm: {qos: low}}\n"
    "  gpu:\n"
    "    inherits: base\n"
    "    slurm: {partition: gpu, time: 1:00:00}\n";

// A site's file with more at its end, and a user's.
Lines problems_between(const std::string& more, const std::string& user) {
  return resolve({{"site", site + more, true}, {"user", user}}).problems;
}

}  // namespace

TEST_CASE("later files override earlier ones key by key") {
  Resolved resolved =
      resolve({{"site", site, true},
               {"user", "profiles:\n  gpu: {daemons: 2, slurm: {time: 2:00:00}}\n  mine: {daemons: 1}\n"}});

  CHECK(resolved.problems.empty());
  CHECK(resolved.value("gpu", "slurm.time") == "2:00:00");
  CHECK(resolved.value("gpu", "slurm.partition") == "gpu");
  CHECK(resolved.value("gpu", "daemons") == "2");
  CHECK(resolved.value("mine", "slurm.partition") == "");
  CHECK(to_string(resolved.profiles.all.at("gpu").find("slurm.time")->place) == "user:2:35");
  CHECK(to_string(resolved.profiles.all.at("gpu").find("slurm.qos")->place) == "site:2:23");
  CHECK(resolved.profiles.all.at("gpu").defined.size() == 2);
}

TEST_CASE("what is inherited is what all files have made of it") {
  Resolved resolved =
      resolve({{"site", site, true}, {"user", "profiles: {base: {slurm: {qos: high, account: x}}}\n"}});

  CHECK(resolved.value("gpu", "slurm.qos") == "high");
  CHECK(resolved.value("gpu", "slurm.account") == "x");
}

TEST_CASE("nothing takes back what was said before") {
  Resolved resolved =
      resolve({{"site", site, true}, {"user", "profiles: {gpu: {slurm: {qos: ~}, inherits: base}}\n"}});

  CHECK(resolved.problems.empty());
  CHECK(resolved.value("gpu", "slurm.qos") == "");
  CHECK(resolved.profiles.all.at("gpu").values.count("slurm.qos") == 0);
}

TEST_CASE("defaults hold where nobody says anything, and daemons of Slurm do not idle for ever") {
  Resolved resolved = resolve({{"f", "profiles: {a: {launcher: slurm}, b: {}}\n"}});

  CHECK(resolved.value("a", "limits.idletime") == "5min");
  CHECK(resolved.value("b", "limits.idletime") == "");
  CHECK(resolved.value("b", "launcher") == "local");
}

TEST_CASE("a list is replaced, the variables of an environment are not") {
  Resolved resolved = resolve({{"f",
                                "profiles:\n"
                                "  a: {environment: {modules: [x, y], variables: {A: 1, B: 2}}}\n"
                                "  b: {inherits: a, environment: {modules: z, variables: {B: 3}}}\n"}});

  CHECK(resolved.profiles.all.at("b").find("environment.modules")->texts == Lines{"z"});
  CHECK(resolved.value("b", "environment.variables.A") == "1");
  CHECK(resolved.value("b", "environment.variables.B") == "3");
}

TEST_CASE("profiles that inherit in a circle, or from nobody, are refused") {
  CHECK(resolve(
            {{"f",
              "profiles:\n  a: {inherits: b}\n  b: {inherits: c}\n  c: {inherits: a}\n  d: {inherits: a}\n"}})
            .problems ==
        Lines{"f:2:17: profiles inherit in a circle (a -> b -> c -> a); remove one 'inherits'",
              "f:3:17: profiles inherit in a circle (b -> c -> a -> b); remove one 'inherits'",
              "f:4:17: profiles inherit in a circle (c -> a -> b -> c); remove one 'inherits'"});
  CHECK(resolve({{"f", "profiles: {a: {inherits: a}}\n"}}).problems ==
        Lines{"f:1:26: profiles inherit in a circle (a -> a); remove one 'inherits'"});
  CHECK(resolve({{"f", "profiles: {base: {}, a: {inherits: bsae}}\n"}}).problems ==
        Lines{"f:1:36: there is no profile 'bsae' to inherit from; did you mean 'base'?"});
}

TEST_CASE("a locked key holds against later files, and the error names both places") {
  const std::string lock = "locks: [profiles.gpu.slurm.partition]\n";

  CHECK(problems_between(lock, "profiles: {gpu: {slurm: {time: 2:00:00}}}\n").empty());
  CHECK(problems_between(lock, "profiles: {gpu: {slurm: {partition: big}}}\n") ==
        Lines{"user:1:37: profiles.gpu.slurm.partition is locked by site:6:9; remove it here"});
  CHECK(problems_between(lock, "profiles: {gpu: {slurm: {partition: ~}}}\n").size() == 1);
  CHECK(problems_between("locks: [profiles.gpu]\n", "profiles: {gpu: {daemons: 1}}\n").size() == 1);
  CHECK(problems_between("locks: [profiles.*.slurm]\n",
                         "profiles: {mine: {inherits: gpu, slurm: {qos: high}}}\n") ==
        Lines{"user:1:47: profiles.mine.slurm.qos is locked by site:6:9; remove it here"});
  CHECK(
      problems_between("locks: [profiles.*.slurm]\n", "profiles: {mine: {inherits: gpu, slurm: {qos: ~}}}\n")
          .size() == 1);
}

TEST_CASE("a locked key does not grow by a retry that a later file asks for") {
  const std::string lock = "locks: [profiles.gpu.slurm.time, profiles.gpu.limits]\n";
  const std::string grows = "launcher: slurm, retries: {time_limit: {times: 1, time: x2}}";

  CHECK(problems_between(lock, "profiles: {gpu: {" + grows + "}}\n") ==
        Lines{"user:1:74: profiles.gpu.slurm.time is locked by site:6:9, and would grow by "
              "retries.time_limit.time; remove it here"});
  CHECK(problems_between(lock, "profiles: {gpu: {retries: {time_limit: {times: 1}}}}\n").empty());
  CHECK(problems_between(lock, "profiles: {mine: {inherits: gpu, " + grows + "}}\n").empty());
  CHECK(problems_between("locks: [profiles.*.slurm.time]\n",
                         "profiles: {mine: {inherits: gpu, " + grows + "}}\n")
            .size() == 1);
  CHECK(problems_between("", "profiles: {gpu: {" + grows + "}}\n").empty());
}

TEST_CASE("a locked key does not change through what is inherited") {
  const std::string lock = "locks: [profiles.gpu.slurm.qos]\n";

  CHECK(problems_between(lock, "profiles: {base: {slurm: {qos: high}}}\n") ==
        Lines{"user:1:32: profiles.gpu.slurm.qos is locked by site:6:9; remove it here"});
  CHECK(problems_between(lock, "profiles: {gpu: {inherits: ~}}\n") ==
        Lines{"user:1:28: profiles.gpu.slurm.qos is locked by site:6:9, and would change by what is "
              "inherited here; "
              "inherit as before"});
  CHECK(problems_between(lock, "profiles: {mine: {slurm: {qos: x}}, gpu: {inherits: mine}}\n").size() == 1);
  CHECK(problems_between(lock, "profiles: {gpu: {inherits: gpu2}, gpu2: {inherits: base}}\n").empty());
}

TEST_CASE("a cap holds against later files, and is only narrowed") {
  const std::string caps = "caps: {daemons: 10, ports: 60000-61000}\n";

  CHECK(problems_between(caps, "profiles: {gpu: {daemons: 10, port: 60001}}\n").empty());
  CHECK(problems_between(caps, "profiles: {gpu: {daemons: 11}}\n") ==
        Lines{"user:1:27: the number of daemons of profile 'gpu' is beyond the site's cap of '10' "
              "(site:6:17); keep "
              "within it, or ask the site"});
  CHECK(problems_between(caps, "profiles: {gpu: {port: 59999-60001}}\n").size() == 1);
  CHECK(problems_between(caps, "profiles: {gpu: {url: 'wss://:443'}}\n").size() == 1);
  CHECK(problems_between(caps, "profiles: {gpu: {url: 'wss://:0'}}\n").empty());
  CHECK(problems_between(caps, "caps: {daemons: 9}\n").size() == 1);
  Lines wider =
      resolve({{"site", caps, true}, {"more", "caps: {daemons: 11, ports: 60000}\n", true}}).problems;
  CHECK(
      wider ==
      Lines{
          "more:1:17: this cap of daemons is wider than '10' (site:1:17); a later file can only narrow it"});
}

TEST_CASE("values that contradict each other are refused") {
  CHECK(problem_with("{url: 'tcp://:0', interface: ib0}").empty() == false);
  CHECK(problem_of("profiles: {p: {url: 'tcp://:0', interface: ib0}}\n")
            .find("interface as well; take one back") != std::string::npos);
  CHECK(problem_of("profiles: {p: {url: 'tcp://:0', tls: yes}}\n").find("contradict each other") !=
        std::string::npos);
  CHECK(problem_of("profiles: {p: {scheme: wss, tls: no}}\n").find("contradict each other") !=
        std::string::npos);
  CHECK(problem_of("profiles: {p: {scheme: wss, tls: yes}}\n").empty());
}

TEST_CASE("memory is asked for by node or by processor") {
  CHECK(problem_with("slurm: {mem: 16G, mem-per-cpu: 4G}") ==
        "f:3:36: profile 'p' has slurm.mem, '16G' (f:3:18), and slurm.mem-per-cpu as well, of which Slurm "
        "takes "
        "one; take one back with 'mem: ~' or 'mem-per-cpu: ~'");
  CHECK(problem_with("slurm: {mem: ~, mem-per-cpu: 4G}").empty());
}

TEST_CASE("a profile says what its launcher needs, or leaves it to those that inherit") {
  CHECK(problem_of("profiles: {p: {launcher: ssh}}\n").find("and no ssh.remotes; add") != std::string::npos);
  CHECK(problem_of("profiles: {p: {launcher: ssh}, q: {inherits: p, ssh: {remotes: ssh://a}}}\n").empty());
  CHECK(problem_of("profiles: {p: {launcher: command}}\n").find("no command.program") != std::string::npos);
  CHECK(problem_of("profiles: {p: {launcher: command, command: {program: srun, args: [-n1]}}}\n")
            .find("no argument of the command is '.'") != std::string::npos);
}

TEST_CASE("a limit of memory that cannot be kept, or that R alone would exceed, is refused") {
  auto limited = [](const std::string& amount, const std::string& launcher = "local") {
    return problem_of("profiles: {p: {launcher: " + launcher + ", limits: {memory: '" + amount +
                      "'}, command: {program: srun, args: .}}}\n");
  };

  CHECK(limited("2G").empty());
  CHECK(limited("2G", "slurm").empty());
  CHECK(limited("100M").empty());
  CHECK(limited("99M").find("has limits.memory 99M, and R alone takes nearly 100M") != std::string::npos);
  CHECK(limited("0G").find("R alone takes") != std::string::npos);
  CHECK(limited("99999999T").find("more than any machine has") != std::string::npos);
  CHECK(limited("2 GB").find("an amount of memory (16G, 500M)") != std::string::npos);
  CHECK(limited("2G", "command").find("whose daemons have no agent that looks") != std::string::npos);
}

TEST_CASE("a limit of zero, at which a daemon ends before its first task, is told") {
  auto said = [](const std::string& limits) {
    return problem_of("profiles: {p: {limits: {" + limits + "}}}\n");
  };
  CHECK(said("walltime: 0").find("has limits.walltime: 0, at which a daemon ends before its first task") !=
        std::string::npos);
  CHECK(said("idletime: 0s").find("limits.idletime: 0s") != std::string::npos);
  CHECK(said("maxtasks: 0").find("limits.maxtasks: 0") != std::string::npos);
  CHECK(said("walltime: 10min, idletime: 1s, maxtasks: 1").empty());
}

TEST_CASE("scaling that cannot be done is refused where it is written") {
  auto scaling = [](const std::string& keys) {
    return problem_of("profiles: {p: {launcher: slurm, " + keys + "}}\n");
  };

  CHECK(scaling("scale: {min: 2, max: 2}").empty());
  CHECK(scaling("scale: {min: 3, max: 2}") ==
        "f:1:46: profile 'p' has scale.min '3' (f:1:46) above scale.max '2' (f:1:54); change one");
  CHECK(scaling("scale: {max: 0}").find("let it be at least 1") != std::string::npos);
  CHECK(scaling("scale: {min: 1}").find("f:1:46: profile 'p' has scale.min and no scale.max; add it") == 0);
  CHECK(scaling("scale: {max: 3}, slurm: {array-chunk: 4}").find("launched together") != std::string::npos);
  CHECK(scaling("scale: {max: 3}, slurm: {nodes: 2}").find("or take one back with") != std::string::npos);
  CHECK(scaling("scale: {max: 3, backlog: 0}").find("a number above zero") != std::string::npos);
  CHECK(scaling("scale: {max: 3, backlog: 1.}").find("a number above zero") != std::string::npos);
  CHECK(scaling("scale: {max: 3, backlog: 1e3}").find("a number above zero") != std::string::npos);
  CHECK(scaling("scale: {max: 3, backlog: 0.5}").empty());
  CHECK(problem_of("profiles: {p: {scale: {max: 3}}}\n").find("has scale.max and launcher: local") !=
        std::string::npos);
  // Others may say what is missing.
  CHECK(problem_of("profiles: {p: {scale: {min: 3}}, q: {inherits: p, launcher: slurm, scale: {max: 4}}}\n")
            .empty());
  CHECK(problems_between("caps: {daemons: 10}\n", "profiles: {gpu: {launcher: slurm, scale: {max: 11}}}\n") ==
        Lines{"user:1:48: scale.max of profile 'gpu' is beyond the site's cap of '10' (site:6:17); keep "
              "within it, or ask the site"});
}
