#include "launcher/launch/settle.h"

#include <string>
#include <utility>
#include <vector>

#include "base/lines.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

// Where one profile is in a file.
struct Case {
  Deployment profile;
  Allocation allocation;
  std::vector<std::string> warnings = {};

  Result<LaunchSession> settle(Setup& setup) {
    auto find = [this](const std::string& name) -> Result<Deployment> {
      if (name != profile.profile) return Error{"there is no profile '" + name + "'"};
      return profile;
    };
    return tenkai::settle(setup, allocation, find, warnings);
  }
};

Case slurm_profile() {
  Case made;
  made.profile.profile = "gpu";
  made.profile.plugin = "slurm";
  made.profile.url = "wss://:0";
  made.profile.daemons = "8";
  made.profile.credential = "file";
  made.profile.chunk = 0;
  return made;
}

Allocation job_of(std::size_t nodes, const std::string& cpus_per_node) {
  Allocation allocation;
  allocation.job = "7";
  allocation.nodes = nodes;
  allocation.cpus_per_node = cpus_per_node;
  return allocation;
}

Setup asked_for(const std::string& lines) { return *parse_setup("policy=queue\n" + lines); }

}  // namespace

TEST_CASE("a profile says what daemons() does not") {
  Case made = slurm_profile();
  made.profile.limits = {{"idletime", "5"}, {"maxtasks", "3"}};
  made.profile.retries = "1,oom=2";
  made.profile.ports = "60000-60010";
  made.profile.memory = 1024;
  Setup setup = asked_for("deploy=gpu\ndaemon=maxtasks=9\n");

  Result<LaunchSession> session = made.settle(setup);

  REQUIRE(session);
  CHECK(setup.daemons == 8U);
  CHECK(to_string(setup.urls.at(0)) == "wss://:0");
  CHECK(setup.retries.outside == 1);
  CHECK(setup.first_port == 60000);
  CHECK(setup.daemon_memory == 1024U);
  CHECK((setup.launches && !setup.steps && !setup.local));
  CHECK(session->daemon.arguments ==
        std::vector<std::pair<std::string, std::string>>{{"maxtasks", "9"}, {"idletime", "5"}});
  CHECK(session->deployment == made.profile);

  Setup own = asked_for("deploy=gpu\ndaemons=2\nurl=ws://127.0.0.1:0\nretries=0\n");
  REQUIRE(made.settle(own));
  CHECK(own.daemons == 2U);
  CHECK(own.urls.size() == 1);
  CHECK(own.retries.outside == 0);
}

TEST_CASE("a profile that limits no memory leaves it as daemons() has said") {
  Case made = slurm_profile();
  Setup setup = asked_for("deploy=gpu\ndaemon_memory=2048\n");

  REQUIRE(made.settle(setup));

  CHECK(setup.daemon_memory == 2048U);
}

TEST_CASE("what a profile or a site does not allow is refused") {
  Case made = slurm_profile();
  Setup unknown = asked_for("deploy=cpu\n");
  CHECK(made.settle(unknown).error().message == "there is no profile 'cpu'");
  made.profile.daemons.clear();
  Setup no_number = asked_for("deploy=gpu\n");
  CHECK(made.settle(no_number).error().message.find("does not say how many daemons it has") !=
        std::string::npos);
  made.profile.most = 3;
  Setup too_many = asked_for("deploy=gpu\ndaemons=4\n");
  CHECK(made.settle(too_many).error().message.find("the site allows 3 daemons for a profile, not 4") == 0);
  Setup no_url = asked_for("daemons=4\nconfiguration=plugin=ssh%0A\n");
  CHECK(made.settle(no_url).error().message.find("'remote' needs a 'url'") == 0);
}

TEST_CASE("a configuration comes before the launcher of the profile, and counts its machines") {
  Case made = slurm_profile();
  Setup setup =
      asked_for("url=ws://127.0.0.1:0\n" +
                line_of("configuration", "plugin=ssh\neach=\noption=remote=a\neach=\noption=remote=b\n"));
  Result<LaunchSession> session = made.settle(setup);
  REQUIRE(session);
  CHECK(setup.daemons == 2U);
  CHECK(session->deployment->plugin == "ssh");
  CHECK(session->spare == 0);

  Setup both = asked_for("deploy=gpu\nconfiguration=plugin=ssh%0A\n");
  CHECK(made.settle(both)->deployment->plugin == "ssh");
}

TEST_CASE("a configuration without a launcher leaves all to others, and needs a URL") {
  Case made = slurm_profile();
  made.profile.here = true;
  Setup setup = asked_for("deploy=gpu\nconfiguration=rscript=Rscript%0A\n");
  Result<LaunchSession> session = made.settle(setup);
  REQUIRE(session);
  CHECK_FALSE(session->deployment);
  CHECK((!setup.launches && !setup.local && setup.spare == 0));
  Setup no_url = asked_for("daemons=2\nconfiguration=rscript=Rscript%0A\n");
  CHECK(made.settle(no_url).error().message.find("'remote' needs a 'url'") == 0);
}

TEST_CASE("without a dispatcher's queue all daemons of a profile have the one URL") {
  Case made = slurm_profile();
  Setup setup = *parse_setup("policy=direct\ndeploy=gpu\ndaemons=3\n");
  REQUIRE(made.settle(setup));
  CHECK(setup.daemons == 1U);
  made.profile.url.clear();
  made.profile.plugin.clear();
  Setup here = *parse_setup("policy=direct\ndeploy=gpu\n");
  REQUIRE(made.settle(here));
  CHECK(here.local_daemons() == 8);
}

TEST_CASE("a profile without a launcher is started here") {
  Case made;
  made.profile.profile = "cpu";
  made.profile.daemons = "2";
  made.profile.rscript = "/opt/Rscript";
  Setup setup = asked_for("deploy=cpu\nrscript=/usr/bin/Rscript\n");
  Result<LaunchSession> session = made.settle(setup);
  REQUIRE(session);
  CHECK(setup.local_daemons() == 2);
  CHECK(setup.rscript == "/opt/Rscript");
  CHECK_FALSE(session->deployment);

  // With a URL by hand, unless the profile itself says `launcher: local`.
  made.profile.url = "tcp://127.0.0.1:0";
  Setup by_hand = asked_for("deploy=cpu\n");
  REQUIRE(made.settle(by_hand));
  CHECK_FALSE(by_hand.local);
  made.profile.here = true;
  Setup here = asked_for("deploy=cpu\n");
  REQUIRE(made.settle(here));
  CHECK(here.local);
}

TEST_CASE("a profile that scales has spare slots, within the number that is asked for") {
  Case made = slurm_profile();
  made.profile.daemons.clear();
  made.profile.scale.emplace();
  made.profile.scale->min = 3;
  made.profile.scale->max = 8;
  Setup setup = asked_for("deploy=gpu\ndaemons=2\n");
  Result<LaunchSession> session = made.settle(setup);
  REQUIRE(session);
  CHECK(setup.slots() == 4);
  CHECK(session->scale->max == 2);
  CHECK(session->scale->min == 2);

  Setup direct = *parse_setup("policy=direct\ndeploy=gpu\ndaemons=2\n");
  CHECK(made.settle(direct)->spare == 0);
}

TEST_CASE("larger daemons have spare slots where retries ask for them, whoever says so") {
  Case made = slurm_profile();
  made.profile.retries = "2,oom=1:mem=x2";
  Setup setup = asked_for("deploy=gpu\n");
  CHECK(made.settle(setup)->spare == 2);
  Setup plain = asked_for("deploy=gpu\nretries=2\n");
  CHECK(made.settle(plain)->spare == 0);
}

TEST_CASE("within a job of several nodes daemons are its steps") {
  Case made = slurm_profile();
  made.allocation = job_of(2, "4(x2)");
  Setup setup = asked_for("daemons=3\nlocal=1\nrscript=/usr/bin/Rscript\n");
  Result<LaunchSession> session = made.settle(setup);
  REQUIRE(session);
  CHECK((setup.steps && setup.launches && !setup.local));
  CHECK(to_string(setup.urls.at(0)) == "wss://:0");
  CHECK(session->deployment->options.at("slurm.nodes") == std::vector<std::string>{"2"});
  CHECK(session->deployment->options.at("slurm.allocation") == std::vector<std::string>{"1"});

  made.allocation.nodes = 1;
  Setup alone = asked_for("daemons=3\nlocal=1\n");
  REQUIRE(made.settle(alone));
  CHECK(alone.local);
}

TEST_CASE("a profile that is more than its job has processors for is told, with the way out") {
  Case made = slurm_profile();
  made.profile.daemons = "6";
  made.profile.options["slurm.cpus-per-task"] = {"2"};
  made.allocation = job_of(1, "9");
  Setup setup = asked_for("deploy=gpu\n");
  REQUIRE(made.settle(setup));
  CHECK(setup.steps);
  REQUIRE(made.warnings.size() == 1);
  CHECK(made.warnings[0].find(
            "wants 6 daemons with 2 processors each, and job 7, in which they run, has 9: ") !=
        std::string::npos);
  CHECK(made.warnings[0].find("daemons(4, profile = \"gpu\")") != std::string::npos);
  CHECK(made.warnings[0].find("sbatch -n6 -c2") != std::string::npos);
  for (const char* enough : {"4(x2),4", "12", "", "4(x"}) {
    made.allocation.cpus_per_node = enough;
    Setup again = asked_for("deploy=gpu\n");
    made.warnings.clear();
    REQUIRE(made.settle(again));
    CHECK(made.warnings.empty());
  }
  CHECK(count_cpus("4(x2),2") == 10U);
  for (const char* bad : {"", "4(x", "x", "4(x2", "-1", "4(x2),"}) CHECK_FALSE(count_cpus(bad));
}
