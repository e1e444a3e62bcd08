// The commands `tenkai status` and `tenkai launch`, beside real dispatchers.
//
// Other dispatchers of this user may run at the same time, so each is named by --pid.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/system/siege.h"

using namespace tenkai;
using namespace tenkai::test;

namespace {

struct Outcome {
  std::string text;  // stdout and stderr
  int code = -1;
};

// The program, with these words of a shell, and these variables before it.
Outcome tenkai_says(const std::string& words, const std::string& variables = "") {
  std::string command = variables + " " + TENKAI_TEST_BIN + "/tenkai " + words + " 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), [](FILE*) { return 0; });
  Outcome outcome;
  std::array<char, 4096> buffer{};
  for (std::size_t size; (size = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    outcome.text.append(buffer.data(), size);
  }
  int status = ::pclose(pipe.release());
  if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
  return outcome;
}

std::string of(const TestDispatcher& dispatcher) { return " --pid " + std::to_string(dispatcher.pid) + " "; }

// What to give as --rscript, so that a launch brings a daemon and needs no R.
std::string no_r() {
  ::setenv("TENKAI_BIN", (std::string(TENKAI_TEST_BIN) + "/tenkai").c_str(), 1);
  ::setenv("TENKAI_FLOW_VERSION", std::string(program_version).c_str(), 1);
  return TENKAI_TEST_DATA "/daemon_without_r.sh";
}

}  // namespace

TEST_CASE("a command line that is not understood ends with 2, a question about it with 0") {
  for (std::string words : {"", "nonsense", "status --nonsense", "launch --profile", "status --pid x"}) {
    CAPTURE(words);
    CHECK(tenkai_says(words).code == 2);
  }
  for (std::string words : {"--help", "--version", "launch --help"}) CHECK(tenkai_says(words).code == 0);
}

TEST_CASE("a word that no command knows is named, with what is near it") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"bogus", "tenkai: there is no command 'bogus'; tenkai --help shows those there are\n"},
      {"statsu --json", "tenkai: there is no command 'statsu'; did you mean 'status'?"},
      {"profile chekc x", "tenkai profile: there is no command 'chekc'; did you mean 'check'?"},
      {"status --jsn", "tenkai status: there is no option '--jsn'; did you mean '--json'?"},
      {"profile show --jsn=1", "tenkai profile show: there is no option '--jsn=1'; did you mean '--json'?"},
      {"status 12", "tenkai status: '12' is one argument too many"},
      {"run --wiat x.R", "tenkai run: there is no option '--wiat'; did you mean '--wait'?"},
      {"carry --profle cpu x", "tenkai carry: there is no option '--profle'; did you mean '--profile'?"},
      {"carry --profile cpu --worker 2 x", "there is no option '--worker'; did you mean '--workers'?"},
  };
  for (const auto& [words, why] : cases) {
    Outcome outcome = tenkai_says(words);
    INFO(words << ": " << outcome.text);
    CHECK(outcome.code == 2);
    CHECK(says(outcome.text, why));
  }
  CHECK_FALSE(says(tenkai_says("profil").text, "deploy"));
}

TEST_CASE("a log that Slurm could not open is refused before a job is submitted") {
  char name[] = "/tmp/tenkai-run-XXXXXX";
  REQUIRE(::mkdtemp(name) != nullptr);
  const std::string folder = name;
  // What it submits has an id, so nothing but the check keeps it from doing so.
  REQUIRE(::system(("cd " + folder +
                    " && mkdir there && touch fit.R && printf '#!/bin/sh\\necho 7\\n' >sbatch && "
                    "chmod 700 sbatch")
                       .c_str()) == 0);
  std::string run = "run --dry-run --log ";
  auto with_log = [&](const std::string& log, const std::string& variables = "") {
    return tenkai_says(run + folder + "/" + log + " " + folder + "/fit.R",
                       "env -u SLURM_JOB_ID PATH=" + folder + ":$PATH " + variables);
  };

  Outcome none = with_log("nodir/fit.log");
  Outcome itself = with_log("there");
  Outcome pattern = with_log("%j/fit.log");

  for (const Outcome& each : {none, itself, pattern}) CHECK(each.code == 2);
  CHECK(says(none.text, "there is no folder " + folder + "/nodir, and Slurm makes none"));
  CHECK(says(itself.text, "that is a folder"));
  CHECK(says(pattern.text, "Slurm makes no folders"));
  // What a site says for all of its users on a login node is kept.
  Outcome good = with_log("there/%j.log", "SBATCH_PARTITION=main SBATCH_WAIT=1");
  INFO(good.text);
  CHECK(good.code == 0);
  CHECK(says(good.text, "--partition=main <<"));
  CHECK_FALSE(says(good.text, "--wait"));
  REQUIRE(::system(("rm -r " + folder).c_str()) == 0);
}

TEST_CASE("what would be run is shown with the folder that XDG_CACHE_HOME names") {
  Outcome shown = tenkai_says("launch --dry-run --url wss://h:5555 --daemons 1 --by command --program srun",
                              "XDG_CACHE_HOME=/some/cache");

  CHECK(shown.code == 0);
  CHECK(says(shown.text, "credential='@/some/cache/tenkai/1'"));
}

TEST_CASE("what would be launched can be seen where no dispatcher runs") {
  Outcome shown = tenkai_says("launch --dry-run --url wss://h:5555 --daemons 2 --by command --program srun");

  INFO(shown.text);
  CHECK(shown.code == 0);
  CHECK(split(shown.text, '\n').size() == 3);
}

TEST_CASE("tenkai status shows a dispatcher as a table and as JSON") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nprofile=mine\n");
  TestDaemon daemon(urls[0]);

  Outcome table = tenkai_says("status" + of(dispatcher));
  Outcome json = tenkai_says("status --json" + of(dispatcher));

  CHECK(table.code == 0);
  CHECK(says(table.text, "profile mine (dispatcher " + std::to_string(dispatcher.pid) + ", R session " +
                             std::to_string(::getpid()) + "), for "));
  std::size_t since = table.text.find("), for ");
  REQUIRE(since != std::string::npos);
  // How long it has been there depends on how busy the machine is.
  std::size_t unit = table.text.find_first_not_of("0123456789", since + 7);
  CHECK(unit > since + 7);
  CHECK(table.text.substr(unit, 3) == " s\n");
  CHECK(says(table.text, "  1       " + urls[0] + "  yes     1         0         0         idle\n"));
  CHECK(table.text.find('\x1b') == std::string::npos);
  CHECK(json.code == 0);
  CHECK(says(json.text, "{\"dispatchers\":[{\"pid\":" + std::to_string(dispatcher.pid) + ","));
  CHECK(says(json.text, "\"profile\":\"mine\""));
}

TEST_CASE("tenkai launch brings daemons, and says so when they have joined") {
  std::string rscript = no_r();
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=3\nurl=ws://127.0.0.1:0\nprofile=mine\n");
  std::string launch =
      "launch --by command --program sh --args -c --args . --rscript " + rscript + of(dispatcher);

  Outcome dry = tenkai_says(launch + "--dry-run");
  Outcome one = tenkai_says(launch + "--slots 2 --credential stdin");
  Outcome rest = tenkai_says(launch + "--json");
  Outcome more = tenkai_says(launch);

  CHECK(dry.code == 0);
  CHECK(split(dry.text, '\n').size() == 4);
  CHECK(says(dry.text, "credential='@"));
  INFO(one.text);
  CHECK(one.code == 0);
  CHECK(says(one.text, "launch 4, daemon 2, by command: asked\nlaunch 4, daemon 2, by command has joined\n"));
  INFO(rest.text);
  CHECK(rest.code == 0);
  CHECK(says(rest.text, "{\"launches\":[{\"launch\":5,\"slots\":[1],"));
  CHECK(says(rest.text, "\"state\":\"joined\""));
  CHECK(more.code == 2);
  CHECK(says(more.text, "each of the 3 daemons is online"));
  CHECK(dispatcher.status()[0][0] == "3");
}

TEST_CASE("a launch for this machine has joined when its daemon has, though no credential tells") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");
  std::string launch = "launch --by command --program true " + of(dispatcher);
  Outcome asked = tenkai_says(launch + "--slots 2 --no-wait");
  CHECK(asked.code == 0);

  TestDaemon other(urls[0]);
  Outcome before = tenkai_says("status" + of(dispatcher));
  TestDaemon launched(urls[1]);
  Outcome after = tenkai_says("status" + of(dispatcher));

  CHECK(!says(before.text, "joined"));
  CHECK(says(after.text, "  1       2        command         joined\n"));
}

TEST_CASE("tenkai launch says why a launch has brought nothing") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  std::string launch = "launch --by command --program sh --args -c --args . " + of(dispatcher);

  Outcome missing = tenkai_says(launch + "--rscript /no/such/Rscript");
  Outcome silent = tenkai_says("launch --by command --program 'sleep 5;:' --wait 1" + of(dispatcher));
  Outcome unwatched = tenkai_says(launch + "--rscript /no/such/Rscript --no-wait --slots 1");

  CHECK(missing.code == 1);
  CHECK(says(missing.text, "launch 1, daemon 1, by command has failed (rscript_missing)"));
  CHECK(silent.code == 1);
  CHECK(says(silent.text, "within 1 s; they may still come"));
  CHECK(unwatched.code == 0);
}

TEST_CASE("tenkai launch does nothing where it cannot know what is meant") {
  TestDispatcher first;
  first.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\nprofile=one\n");
  TestDispatcher second;
  second.set_up("policy=queue\ndaemons=1\nprofile=two\n");
  // Without a name; that is not what no --profile means.
  TestDispatcher nameless;
  nameless.set_up("policy=queue\ndaemons=1\n");
  std::string launch = "launch --by command --program true ";

  const std::vector<std::pair<std::string, std::string>> cases{
      {launch, "there is more than one dispatcher"},
      {launch, "profile two (dispatcher " + std::to_string(second.pid)},
      {launch + "--slots 2" + of(first), "there is no daemon 2: they have the numbers 1 to 1"},
      {launch + "--daemons 2" + of(first), "no place for 2 more daemons"},
      {"launch --by nonsense" + of(first), "there is no launcher plugin 'nonsense'"},
      {launch + "--url tcp://h:1", "--url is for --dry-run"},
      {launch + "--pid 1", "no dispatcher of yours with the process id 1"},
  };
  for (const auto& [words, why] : cases) {
    Outcome outcome = tenkai_says(words);
    CHECK(outcome.code == 2);
    CHECK(says(outcome.text, why));
  }
  CHECK(first.status().size() == 2);
}

TEST_CASE("tenkai status says why it shows nothing") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\n");

  Outcome none = tenkai_says("status --json --pid 1");
  dispatcher.kill(SIGSTOP);
  Outcome stopped = tenkai_says("status" + of(dispatcher));
  dispatcher.kill(SIGCONT);

  CHECK(none.code == 1);
  CHECK(says(none.text, "there is no dispatcher of yours with the process id 1"));
  CHECK(says(none.text, "{\"dispatchers\":[]}\n"));
  CHECK(stopped.code == 1);
  CHECK(says(stopped.text, "has not answered within 5 s: it may be stopped"));
}
