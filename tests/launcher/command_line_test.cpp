#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/launch/command_line.h"

#include "tests/catch.h"

using namespace tenkai;

namespace {

// Daemons 1 to 4 over the network, of which 2 is online.
View network_view() {
  View view;
  view.profile = "gpu";
  view.policy = "queue";
  for (int i = 1; i <= 4; ++i) {
    View::Slot slot;
    slot.url = "ws://127.0.0.1:5/" + std::to_string(i);
    slot.online = i == 2;
    view.slots.push_back(slot);
  }
  return view;
}

CommandLine by_ssh(std::vector<std::string> remotes) {
  CommandLine wanted;
  wanted.by = "ssh";
  wanted.remotes = std::move(remotes);
  return wanted;
}

CommandLine by_command() {
  CommandLine wanted;
  wanted.by = "command";
  wanted.program = "srun";
  return wanted;
}

std::string problem(const CommandLine& wanted, const View& view = network_view()) {
  Result<LaunchArguments> asked = compose(wanted, view);
  return asked ? "" : asked.error().message;
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text, part);
  CHECK(text.find(part) != std::string::npos);
  return true;
}

using Slots = std::vector<std::size_t>;

}  // namespace

TEST_CASE("daemons of one machine are asked for together, and machines are dealt out in turn") {
  Result<LaunchArguments> one = compose(by_ssh({"ssh://a"}), network_view());
  Result<LaunchArguments> two = compose(by_ssh({"ssh://a", "ssh://b"}), network_view());

  REQUIRE(one);
  CHECK(one->slots == Slots{0, 2, 3});
  CHECK(one->configuration->plugin == "ssh");
  CHECK(one->configuration->options == Deployment::Options{{"timeout", {"10"}}});
  CHECK(one->configuration->credential == "stdin");
  REQUIRE(two);
  CHECK(two->configuration->each == std::vector<Deployment::Options>{{{"remote", {"ssh://a"}}},
                                                                     {{"remote", {"ssh://b"}}},
                                                                     {{"remote", {"ssh://a"}}}});
}

TEST_CASE("options of the plugin, R and the way of the credential are passed on") {
  CommandLine wanted = by_ssh({"ssh://a"});
  wanted.options = {"client=ssh -v =", "two=1", "two=2"};
  wanted.rscript = "/opt/R 4/Rscript";
  wanted.tunnel = true;
  wanted.credential = "file";
  wanted.dry = true;

  Result<LaunchArguments> asked = compose(wanted, network_view());

  REQUIRE(asked);
  CHECK(asked->dry);
  CHECK(asked->configuration->rscript == "/opt/R 4/Rscript");
  CHECK(asked->configuration->credential == "file");
  CHECK(asked->configuration->options ==
        Deployment::Options{
            {"client", {"ssh -v ="}}, {"timeout", {"10"}}, {"tunnel", {"1"}}, {"two", {"1", "2"}}});
}

TEST_CASE("a command is one daemon, and is not handed a credential unless it is ssh") {
  CommandLine wanted = by_command();
  wanted.arguments = {"-n 1", "."};
  wanted.quote = false;
  wanted.daemons = 2;

  Result<LaunchArguments> asked = compose(wanted, network_view());

  REQUIRE(asked);
  CHECK(asked->slots == Slots{0, 2});
  CHECK(asked->configuration->one_by_one);
  CHECK(asked->configuration->options ==
        Deployment::Options{{"args", {"-n 1", "."}}, {"program", {"srun"}}, {"quote", {"0"}}});
  CHECK(asked->configuration->credential == "file");
  wanted.program = "/usr/bin/ssh -p 22 host";
  CHECK(compose(wanted, network_view())->configuration->credential == "stdin");
  wanted.credential = "file";
  CHECK(compose(wanted, network_view())->configuration->credential == "file");
}

TEST_CASE("a profile is asked for as it is") {
  CommandLine wanted;
  wanted.deployment.emplace();
  wanted.deployment->profile = "gpu";
  says(problem(wanted), "the daemons of profile 'gpu' are started by the R session itself (launcher: local)");
  wanted.deployment->plugin = "slurm";
  wanted.deployment->options = {{"slurm.time", {"60"}}};
  CHECK(compose(wanted, network_view())->configuration == wanted.deployment);
  wanted.deployment->most = 2;
  wanted.daemons = 2;
  CHECK(problem(wanted).empty());
  wanted.daemons = 3;
  CHECK(problem(wanted) ==
        "the site allows 2 daemons for a profile, not 3 (cap 'daemons' in its file, see 'tenkai profile show "
        "gpu'); say --daemons 2");
  wanted.daemons.reset();
  wanted.slots = "1,3-4";
  says(problem(wanted), "the site allows 2 daemons");
}

TEST_CASE("with one URL for all, any number of daemons is launched at it") {
  View view;
  view.policy = "direct";
  view.url = "tcp://h:5";
  CommandLine wanted = by_ssh({"ssh://a"});
  wanted.daemons = 3;

  CHECK(compose(wanted, view)->slots == Slots{0, 0, 0});
  wanted.daemons.reset();
  CHECK(compose(wanted, view)->slots == Slots{0});
  wanted.slots = "1";
  says(problem(wanted, view), "say how many with --daemons");
}

TEST_CASE("numbers of daemons are written as lists and ranges") {
  CHECK(*parse_slots("3", 4) == Slots{3});
  CHECK(*parse_slots("4,1-2", 4) == Slots{4, 1, 2});
  for (const char* bad : {"", ",", "x", "1,", "1-", "-1", "1 2", "0", "5", "3-1", "1-5", "1,1", "1-2,2",
                          "1-1-1", "99999999999999999999"}) {
    INFO(bad);
    CHECK(!parse_slots(bad, 4));
  }
}

TEST_CASE("wanted that cannot be fulfilled are answered with what to do") {
  CommandLine none;
  says(problem(none), "say how to launch: --profile NAME");
  says(problem(by_ssh({})), "--remote ssh://host");
  CommandLine command = by_command();
  command.program.clear();
  says(problem(command), "--program srun --args .");
  command = by_command();
  command.arguments = {"-n 1"};
  says(problem(command), "must be '.'");
  command = by_command();
  command.remotes = {"a"};
  says(problem(command), "--remote is not for --by command");
  command = by_command();
  command.tunnel = true;
  says(problem(command), "are for --by ssh, not for --by command");
  CommandLine ssh = by_ssh({"a"});
  ssh.program = "srun";
  says(problem(ssh), "are for --by command, not for --by ssh");
  ssh = by_ssh({"a"});
  ssh.daemons = 4;
  says(problem(ssh), "no place for 4 more daemons, only for 3 (1, 3-4)");
  ssh.slots = "1";
  says(problem(ssh), "not both");
  ssh.daemons.reset();
  ssh.slots = "2";
  says(problem(ssh), "daemon 2 is online already; free are 1, 3-4");
  says(problem(by_ssh({"a", "b", "c", "d"})), "4 machines for 3 daemons");
  for (const char* option : {"", "=", "=x", "x", "a%=1", "a\nb=1"}) {
    ssh = by_ssh({"a"});
    ssh.options = {option};
    says(problem(ssh), "--option needs NAME=VALUE");
  }
}

TEST_CASE("nothing is launched where there is no place for it") {
  View view = network_view();
  for (View::Slot& slot : view.slots) slot.online = true;
  says(problem(by_ssh({"a"}), view), "each of the 4 daemons is online or on its way");
  view.policy = "ephemeral";
  says(problem(by_ssh({"a"}), view), "call daemons(url = )");
}

TEST_CASE("a dispatcher that does not run is imagined with as many daemons as are asked for") {
  CommandLine wanted = by_ssh({"a", "b"});

  CHECK(imagine(wanted, "wss://h:5")->slots.size() == 2);
  CHECK(imagine(wanted, "wss://h:5")->slots[1].url == "wss://h:5/2");
  wanted.slots = "2,7";
  CHECK(imagine(wanted, "wss://h:5")->slots.size() == 7);
  wanted.slots.clear();
  wanted.daemons = 3;
  CHECK(imagine(wanted, "tcp://h:5")->slots[2].url == "tcp://h:7");
  CHECK(!imagine(wanted, "http://h:5"));
  wanted.slots = "x";
  CHECK(!imagine(wanted, "tcp://h:5"));
}

TEST_CASE("agents of a job find what they need in a file, without a profile, too") {
  for (const char* by : {"slurm", "mpi"}) {
    CAPTURE(by);
    CommandLine wanted;
    wanted.by = by;

    Result<LaunchArguments> asked = compose(wanted, network_view());

    REQUIRE(asked);
    CHECK(asked->configuration->credential == "file");
    CHECK(asked->configuration->chunk == (wanted.by == "mpi" ? 1u : 0u));
  }
}
