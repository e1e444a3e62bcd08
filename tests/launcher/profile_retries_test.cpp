#include <string>

#include "launcher/profile/retries.h"

#include "scheduler/cause.h"
#include "tests/catch.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;

namespace {

const std::string job = "launcher: slurm, slurm: {mem: 2G, time: 1:00:00}, ";

// What the retries of a profile come to as text, or what is wrong with them.
std::string retries_with(const std::string& keys) {
  Resolved resolved = resolve({{"f", "profiles:\n  p: {" + keys + "}\n", false}});
  if (!resolved.problems.empty()) return resolved.problems.front();
  std::string text = retries_of(resolved.profiles.all.at("p"));
  // Whatever a profile can say, the dispatcher can read.
  if (!text.empty()) CHECK(parse_retries(text));
  return text;
}

}  // namespace

TEST_CASE("how often is a number, or one of several things that are said of a cause") {
  CHECK(retries_with("daemons: 1").empty());
  CHECK(retries_with("retries: {default: 1, oom: 2, quit: 1}") == "1,oom=2,quit=1");
  CHECK(retries_with("retries: {oom: {times: 2}, lost: {times: 0}}") == "lost=0,oom=2");
}

TEST_CASE("retries say where there is more, for jobs") {
  CHECK(retries_with(job + "retries: {oom: {times: 2, mem: x2}}") == "oom=2:mem=x2");
  CHECK(retries_with(job + "retries: {default: 1, oom: {times: 2, mem: x1.5}, time_limit: {time: x2}, "
                           "node_fail: {exclude_node: yes}, killed: {times: 1, exclude_node: true}, "
                           "lost: {exclude_node: no}}") ==
        "1,killed=1:exclude_node,node_fail=:exclude_node,time_limit=:time=x2,oom=2:mem=x1.5");
}

TEST_CASE("the limit of the agent can grow where nothing is asked of Slurm") {
  CHECK(retries_with("launcher: slurm, limits: {memory: 1G}, retries: {oom: {times: 1, mem: x2}}") ==
        "oom=1:mem=x2");
}

TEST_CASE("a later profile can turn off what grows, or take all of it back") {
  auto child = [](const std::string& retries) {
    Resolved resolved = resolve({{"f", "profiles:\n  p: {" + job +
                                           "retries: {default: 1, oom: {times: 2, mem: x2}}}\n"
                                           "  q: {inherits: p, retries: " +
                                           retries + "}\n"}});
    return resolved.problems.empty() ? retries_of(resolved.profiles.all.at("q")) : resolved.problems.front();
  };
  CHECK(child("{}") == "1,oom=2:mem=x2");
  CHECK(child("{oom: 1}") == "1,oom=1:mem=x2");
  CHECK(child("{oom: 0}") == "1,oom=0");
  CHECK(child("{oom: ~}") == "1");
  CHECK(child("{oom: {mem: ~}}") == "1,oom=2");
}

TEST_CASE("what could not grow is refused where it is written") {
  CHECK(retries_with("launcher: slurm, slurm: {time: 60}, retries: {oom: {times: 1, mem: x2}}") ==
        "f:2:74: profile 'p' has retries.oom.mem: x2, but cannot ask for more memory, because none was asked "
        "for; say slurm.mem");
  CHECK(retries_with("launcher: slurm, retries: {time_limit: {time: x2}}") ==
        "f:2:53: profile 'p' has retries.time_limit.time: x2, but cannot ask for more time, because none was "
        "asked for; say slurm.time");
  CHECK(retries_with("launcher: slurm, slurm: {time: UNLIMITED}, retries: {time_limit: {time: x4}}") ==
        "f:2:79: profile 'p' has retries.time_limit.time: x4, but cannot ask for more than slurm.time: "
        "UNLIMITED, which has no limit; write one, such as 2:00:00");
}

TEST_CASE("what would never happen is refused, too") {
  CHECK(retries_with(job + "retries: {oom: {mem: x2}}") ==
        "f:2:78: profile 'p' has retries.oom.mem: x2, but nothing is tried again after oom; add times: 1");
  CHECK(retries_with(job + "retries: {default: 0, time_limit: {time: x2}}")
            .ends_with("nothing is tried again after time_limit; add times: 1"));
  CHECK(retries_with("launcher: ssh, ssh: {remotes: [ssh://a]}, retries: {oom: {times: 1, mem: x2}}") ==
        "f:2:80: profile 'p' has retries.oom.mem: x2, but launcher: ssh makes no jobs that could be other "
        "ones; remove it, or say launcher: slurm");
  CHECK(retries_with("retries: {node_fail: {exclude_node: yes}}").find("launcher: local makes no jobs") !=
        std::string::npos);
  CHECK(retries_with("retries: {node_fail: {exclude_node: no}}").empty());
  CHECK(retries_with("retries: {oom: 1001}") ==
        "f:2:22: retries.oom.times of profile 'p' is 1001, and nothing is tried again more than 1000 times; "
        "say "
        "less");
}

TEST_CASE("a profile that is inherited may leave to others what is asked for") {
  Resolved resolved = resolve({{"f",
                                "profiles:\n"
                                "  base: {retries: {oom: {times: 1, mem: x2}}}\n"
                                "  p: {inherits: base, launcher: slurm, slurm: {mem: 1G}}\n"}});
  CHECK(resolved.problems.empty());
  CHECK(retries_of(resolved.profiles.all.at("p")) == "oom=1:mem=x2");
}

TEST_CASE("words and values that retries do not have are refused with those that were meant") {
  CHECK(retries_with("retries: {timeout: {time: x2}}") ==
        "f:2:17: there is no key 'retries.timeout'; did you mean 'retries.time_limit'?");
  CHECK(retries_with("retries: {oom: {time: x2}}").find("there is no key 'retries.oom.time'") !=
        std::string::npos);
  CHECK(retries_with("retries: {oom: many}").find("retries.oom.times must be a whole number in decimal") !=
        std::string::npos);
  CHECK(retries_with("retries: {oom: [1, 2]}").find("retries.oom.times must be a whole number in decimal") !=
        std::string::npos);
  CHECK(retries_with(job + "retries: {oom: {times: 1, mem: 2}}")
            .find("retries.oom.mem must be a factor of more than 1, at most 16 (x2, x1.5), not '2'; write "
                  "something like mem: x2") != std::string::npos);
  CHECK(retries_with("retries: {preempted: {times: 1}}").find("retries.preempted must be a whole number") !=
        std::string::npos);
}
