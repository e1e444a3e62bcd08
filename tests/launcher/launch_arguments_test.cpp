#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/launch_arguments.h"

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

LaunchArguments by_ssh(std::vector<std::string> remotes) {
  LaunchArguments wanted;
  wanted.by = "ssh";
  wanted.remotes = std::move(remotes);
  return wanted;
}

LaunchArguments by_command() {
  LaunchArguments wanted;
  wanted.by = "command";
  wanted.program = "srun";
  return wanted;
}

std::string problem(const LaunchArguments& wanted, const View& view = network_view()) {
  Result<LaunchPlan> plan = compose(wanted, view);
  return plan ? "" : plan.error().message;
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text, part);
  CHECK(text.find(part) != std::string::npos);
  return true;
}

using Slots = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a launch plan is read again as it was written") {
  LaunchArguments wanted = by_ssh({"ssh://a", "ssh://b:22"});
  wanted.options = {"client=ssh -v %0A=", "two=1", "two=2\n3"};
  wanted.rscript = "/opt/R 4/Rscript";
  wanted.tunnel = true;
  wanted.dry = true;
  View view = network_view();
  view.autoexit = "0";

  Result<LaunchPlan> plan = compose(wanted, view);

  REQUIRE(plan);
  Result<LaunchPlan> again = parse_launch_plan(to_text(*plan), 4);
  REQUIRE(again);
  CHECK(*again == *plan);
}

TEST_CASE("daemons of one machine are one agent's, and machines are dealt out in turn") {
  Result<LaunchPlan> one = compose(by_ssh({"ssh://a"}), network_view());
  Result<LaunchPlan> two = compose(by_ssh({"ssh://a", "ssh://b"}), network_view());

  REQUIRE(one);
  REQUIRE(one->parts.size() == 1);
  CHECK(one->parts[0].slots == Slots{0, 2, 3});
  CHECK(one->parts[0].calls == std::vector<std::string>(3, "tenkai::daemon('fd:3')"));
  CHECK(one->parts[0].options == LaunchPlan::Options{{"remote", {"ssh://a"}}, {"timeout", {"10"}}});
  CHECK(one->form == LaunchPlan::Form::agent);
  CHECK(one->delivery == LaunchPlan::Delivery::stdin_);
  CHECK(one->profile == "gpu");
  REQUIRE(two);
  REQUIRE(two->parts.size() == 2);
  CHECK(two->parts[0].slots == Slots{0, 3});
  CHECK(two->parts[1].slots == Slots{2});
}

TEST_CASE("a command is one daemon, which is told where its credential is") {
  LaunchArguments wanted = by_command();
  wanted.arguments = {"-n 1", "."};
  wanted.quote = false;
  wanted.daemons = 2;

  Result<LaunchPlan> plan = compose(wanted, network_view());

  REQUIRE(plan);
  REQUIRE(plan->parts.size() == 2);
  CHECK(plan->parts[1].slots == Slots{2});
  CHECK(plan->parts[1].calls.front() == "tenkai::daemon('@URL@',credential='@CREDENTIAL@')");
  CHECK(plan->parts[1].options ==
        LaunchPlan::Options{{"args", {"-n 1", "."}}, {"program", {"srun"}}, {"quote", {"0"}}});
  CHECK(plan->form == LaunchPlan::Form::daemon);
  CHECK(plan->delivery == LaunchPlan::Delivery::file);
  wanted.program = "/usr/bin/ssh -p 22 host";
  CHECK(compose(wanted, network_view())->delivery == LaunchPlan::Delivery::stdin_);
  wanted.credential = "file";
  CHECK(compose(wanted, network_view())->delivery == LaunchPlan::Delivery::file);
}

TEST_CASE("a daemon of this machine needs no credential") {
  View view = network_view();
  view.slots[0].url = "abstract://name";
  LaunchArguments wanted = by_command();
  wanted.slots = "1";

  CHECK(compose(wanted, view)->parts[0].calls.front() == "tenkai::daemon('@URL@')");
}

TEST_CASE("daemons that were to stay when the session ends stay, launched from wherever") {
  View view = network_view();
  view.autoexit = "0";
  Result<LaunchPlan> stays = compose(by_ssh({"a"}), view);
  view.autoexit = "na";
  Result<LaunchPlan> finishes = compose(by_ssh({"a"}), view);

  CHECK(stays->at_end == LaunchPlan::AtEnd::stay);
  CHECK(stays->parts[0].calls.front() == "tenkai::daemon('fd:3',autoexit=FALSE)");
  CHECK(finishes->at_end == LaunchPlan::AtEnd::finish);
}

TEST_CASE("with one URL for all, any number of daemons is launched at it") {
  View view;
  view.policy = "direct";
  view.url = "tcp://h:5";
  LaunchArguments wanted = by_ssh({"ssh://a"});
  wanted.daemons = 3;

  CHECK(compose(wanted, view)->parts[0].slots == Slots{0, 0, 0});
  wanted.daemons.reset();
  CHECK(compose(wanted, view)->parts[0].slots == Slots{0});
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
  LaunchArguments none;
  says(problem(none), "say how to launch: --profile NAME");
  says(problem(by_ssh({})), "--remote ssh://host");
  LaunchArguments command = by_command();
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
  LaunchArguments ssh = by_ssh({"a"});
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

TEST_CASE("a tunnel needs URLs of this machine itself") {
  LaunchArguments wanted = by_ssh({"a"});
  wanted.tunnel = true;
  View view = network_view();

  CHECK(problem(wanted, view).empty());
  view.slots[2].url = "ws://login1:5/3";
  says(problem(wanted, view), "the URLs must have the host 127.0.0.1 or localhost, not be ws://login1:5/3");
}

TEST_CASE("a dispatcher that does not run is imagined with as many daemons as are asked for") {
  LaunchArguments wanted = by_ssh({"a", "b"});

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

TEST_CASE("no more is launched for a profile than its site allows") {
  LaunchArguments wanted;
  wanted.by = "slurm";
  wanted.profile = "gpu";
  wanted.most = 2;
  wanted.daemons = 2;
  CHECK(problem(wanted).empty());
  wanted.daemons = 3;
  CHECK(problem(wanted) ==
        "the site allows 2 daemons for a profile, not 3 (cap 'daemons' in its file, see 'tenkai profile show "
        "gpu'); say --daemons 2");
  wanted.daemons.reset();
  wanted.slots = "1,3-4";
  CHECK(problem(wanted).find("the site allows 2 daemons") == 0);
}

TEST_CASE("agents of a job find what they need in a file, without a profile, too") {
  for (const char* by : {"slurm", "mpi"}) {
    CAPTURE(by);
    LaunchArguments wanted;
    wanted.by = by;

    Result<LaunchPlan> plan = compose(wanted, network_view());

    REQUIRE(plan);
    CHECK(plan->delivery == LaunchPlan::Delivery::file);
    CHECK(plan->chunk == (wanted.by == "mpi" ? 1u : 0u));
  }
}
