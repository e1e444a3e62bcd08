#include <string>

#include "launcher/profile/deployment.h"
#include "tests/catch.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;

namespace {

Result<std::string> addresses(const std::string& name) {
  if (name == "ib0") return std::string("10.75.0.1");
  if (name == "six0") return std::string("fd00::1");
  return Error{"there is no network interface '" + name + "' here"};
}

// The lines of a profile p with these keys, in a file whose top has `top` as well.
std::string lines_of(const std::string& keys, const std::string& top = "") {
  Resolved resolved = resolve({{"f", "profiles:\n  p: {" + keys + "}\n" + top, true}});
  if (!resolved.problems.empty()) return resolved.problems.front();
  Result<Deployment> deployment = deploy(resolved.profiles.all.at("p"), resolved.profiles.caps, addresses);
  if (!deployment) return deployment.error().message;
  // R gets it as lines, and sends it so.
  Result<Deployment> again = parse_deployment(to_lines(*deployment));
  REQUIRE(again);
  REQUIRE(*again == *deployment);
  return to_lines(*deployment);
}

bool has(const std::string& lines, const std::string& line) {
  return ("\n" + lines).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a local profile is a number of daemons and their limits") {
  CHECK(lines_of("daemons: 2, limits: {idletime: 5min, maxtasks: 3}, retries: {default: 1, oom: 2}") ==
        "profile=p\ndaemons=2\nretries=1,oom=2\nlimit=idletime=300000\nlimit=maxtasks=3\nrscript=Rscript\n");
}

TEST_CASE("how much memory a daemon may have is told to whoever starts it") {
  CHECK(has(lines_of("limits: {memory: 2G}"), "memory=2147483648"));
  CHECK(lines_of("limits: {memory: 2G}").find("option=") == std::string::npos);
  for (const char* launcher : {"slurm", "mpi", "ssh, ssh: {remotes: ssh://a}"}) {
    std::string lines = lines_of("launcher: " + std::string(launcher) + ", limits: {memory: 2G}");
    CHECK(has(lines, "memory=2147483648"));
    CHECK(has(lines, "option=limits.memory=2G"));
  }
}

TEST_CASE("that nothing is brought along is told to the launchers that would") {
  for (const char* launcher : {"ssh, ssh: {remotes: ssh://a}", "command, command: {program: sh}", "slurm"}) {
    CHECK(has(lines_of("bring: no, launcher: " + std::string(launcher)), "option=bring=0"));
    CHECK_FALSE(has(lines_of("bring: yes, launcher: " + std::string(launcher)), "option=bring=0"));
  }
  CHECK(lines_of("bring: no, launcher: mpi").find("bring") == std::string::npos);
}

TEST_CASE("daemons elsewhere connect by an encrypted WebSocket where nothing is said") {
  CHECK(has(lines_of("launcher: slurm"), "url=wss://:0"));
  CHECK(has(lines_of("launcher: slurm, tls: no"), "url=ws://:0"));
  CHECK(has(lines_of("launcher: slurm, interface: ib0"), "url=wss://10.75.0.1:0"));
  CHECK(has(lines_of("launcher: slurm, interface: six0"), "url=wss://[fd00::1]:0"));
  CHECK(has(lines_of("launcher: slurm, port: 5555"), "url=wss://:5555"));
  CHECK(has(lines_of("launcher: slurm, port: 60000-60010"), "ports=60000-60010"));
  CHECK(has(lines_of("launcher: slurm", "caps: {ports: 60000-61000}\n"), "ports=60000-61000"));
  CHECK(lines_of("launcher: slurm, interface: eth9") == "f:2:35: there is no network interface 'eth9' here");
}

TEST_CASE("what Slurm and the environment need goes to the plugin under its own names") {
  std::string lines = lines_of(
      "launcher: slurm, threads: 2, slurm: {partition: no, time: 1:30:00, options: [--exclusive, --x=y]}, "
      "environment: {modules: [R/4.3, gcc], variables: {A: b c}}",
      "caps: {submissions-per-minute: 4, daemons: 10}\n");
  for (const char* line :
       {"plugin=slurm", "credential=file", "form=agent", "chunk=0", "option=slurm.partition=no",
        "option=slurm.time=1:30:00", "option=slurm.options=--exclusive", "option=slurm.options=--x=y",
        "option=environment.modules=R/4.3", "option=environment.modules=gcc", "option=threads=2",
        "option=environment.variables.A=b c", "option=caps.submissions-per-minute=4", "most=10",
        "limit=idletime=300000"}) {
    INFO(line);
    CHECK(has(lines, line));
  }
}

TEST_CASE("each machine of SSH is named, and a command starts daemons one by one") {
  std::string ssh = lines_of("launcher: ssh, ssh: {remotes: [ssh://a, ssh://b], tunnel: yes, timeout: 30s}");
  CHECK(ssh.find("each=\noption=remote=ssh://a\neach=\noption=remote=ssh://b\n") != std::string::npos);
  CHECK(has(ssh, "option=tunnel=1"));
  CHECK(has(ssh, "option=timeout=30"));

  std::string command = lines_of("launcher: command, command: {program: srun, args: [-n1, .], quote: no}");
  for (const char* line : {"form=daemon", "credential=file", "option=program=srun", "option=args=-n1",
                           "option=args=.", "option=quote=0"}) {
    INFO(line);
    CHECK(has(command, line));
  }
}

TEST_CASE("a profile that scales says between what, and its daemons do not go by themselves") {
  std::string lines = lines_of("launcher: slurm, daemons: 4, scale: {max: 50}, slurm: {array-chunk: 4}");
  for (const char* line : {"scale_min=0", "scale_max=50", "scale_backlog=1", "scale_idle=300000",
                           "scale_pace=1000", "chunk=4"}) {
    INFO(line);
    CHECK(has(lines, line));
  }
  CHECK(lines.find("daemons=") == lines.npos);
  CHECK(lines.find("idletime") == lines.npos);
  CHECK(lines_of("launcher: slurm").find("scale_") == std::string::npos);
}

TEST_CASE("scaling keeps to what is said of it, and to what the site allows") {
  std::string lines = lines_of(
      "launcher: slurm, scale: {min: 2, max: 8, backlog: 0.25, idle: 90s}, limits: {idletime: 1h, walltime: "
      "2h}",
      "caps: {submissions-per-minute: 4}\n");
  for (const char* line : {"scale_min=2", "scale_max=8", "scale_backlog=0.25", "scale_idle=90000",
                           "scale_pace=15001", "limit=walltime=7200000"}) {
    INFO(line);
    CHECK(has(lines, line));
  }
  CHECK(has(lines_of("launcher: slurm, scale: {max: 8}, limits: {idletime: 1h}"), "scale_idle=3600000"));
}

TEST_CASE("lines that are no configuration of launches are refused by their text") {
  auto problem = [](const std::string& lines) {
    Result<Deployment> deployment = parse_deployment(lines);
    return deployment ? std::string() : deployment.error().message;
  };
  CHECK(problem("plugin=ssh\neach=\noption=remote=ssh://a\n").empty());
  for (const char* bad : {"colour=red", "chunk=-1", "most=many", "form=both", "credential=mail", "option=x",
                          "each=1", "limit=idletime=soon", "scale_max=99999999999", "scale_backlog=0",
                          "scale_backlog=nan", "scale_backlog=1x"}) {
    CAPTURE(bad);
    CHECK(problem(bad).find("'" + std::string(bad) + "' is no line of a configuration of launches") == 0);
  }
  CHECK(problem("scale_max=0\n") == "daemons cannot be scaled between 0 and 0");
  CHECK(problem("scale_min=3\nscale_max=2\n") == "daemons cannot be scaled between 3 and 2");
}
