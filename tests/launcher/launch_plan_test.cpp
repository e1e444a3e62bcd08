#include "launcher/launch/launch_plan.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/lines.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

using Slots = std::vector<std::size_t>;

Url url_of(const std::string& text) { return *parse_url(text); }

std::vector<Url> network(std::size_t count) {
  std::vector<Url> urls;
  for (std::size_t i = 0; i < count; ++i) urls.push_back(url_of("ws://127.0.0.1:5/" + std::to_string(i + 1)));
  return urls;
}

// The n-th of them begins with n.
std::vector<RandomStream> streams(std::size_t count) {
  std::vector<RandomStream> all;
  while (all.size() < count) all.push_back({static_cast<std::int32_t>(all.size()), 1, 2, 3, 4, 5, 6});
  return all;
}

Deployment by_ssh(const std::vector<std::string>& remotes) {
  Deployment deployment;
  deployment.plugin = "ssh";
  deployment.options["timeout"] = {"10"};
  for (const std::string& remote : remotes) deployment.each.push_back({{"remote", {remote}}});
  return deployment;
}

Deployment by_slurm(std::size_t chunk) {
  Deployment deployment;
  deployment.plugin = "slurm";
  deployment.credential = "file";
  deployment.chunk = chunk;
  return deployment;
}

LaunchArguments at(Slots slots, Deployment deployment) {
  LaunchArguments arguments;
  arguments.slots = std::move(slots);
  arguments.configuration = std::move(deployment);
  return arguments;
}

Result<LaunchPlan> plan_of(const LaunchArguments& arguments, const LaunchSession& session = {},
                           const std::vector<Url>& urls = network(3)) {
  return make_plan(arguments, session, urls, streams);
}

std::string problem(const LaunchArguments& arguments, const std::vector<Url>& urls = network(3)) {
  Result<LaunchPlan> plan = plan_of(arguments, {}, urls);
  return plan ? "" : plan.error().message;
}

std::string refusal_of(const std::string& lines) {
  Result<LaunchArguments> arguments = parse_launch_arguments(lines, 3);
  return arguments ? "" : arguments.error().message;
}

}  // namespace

TEST_CASE("a request to launch is read again as it was written") {
  LaunchArguments arguments = at({0, 2}, by_ssh({"ssh://a", "ssh://b"}));
  arguments.daemon.arguments = {{"maxtasks", "5"}};
  arguments.daemon.tls = {"two\nlines"};
  arguments.dry = true;

  CHECK(*parse_launch_arguments(to_lines(arguments), 3) == arguments);
  LaunchArguments usual;
  usual.usual = true;
  CHECK(*parse_launch_arguments(to_lines(usual), 3) == usual);
}

TEST_CASE("a request to launch that is none is refused with the reason") {
  const std::string how = line_of("configuration", "plugin=ssh\n");
  CHECK(refusal_of(how + "slot=1\n").empty());
  CHECK(refusal_of("") == "there is nothing to launch");
  CHECK(refusal_of("slot=1") == "nothing says how to launch");
  CHECK(refusal_of(how + "slot=4") == "there is no slot 4");
  CHECK(refusal_of(how + "slot=0") == "there is no slot 0");
  CHECK(refusal_of("colour=red").find("'colour=red' says nothing of a launch") == 0);
  CHECK(refusal_of("dry=yes").find("'dry=yes' says nothing of a launch") == 0);
  CHECK(refusal_of("configuration=limit=maxtasks=1,x()=2").find("is no line of a configuration") !=
        std::string::npos);
  CHECK(refusal_of("configuration=colour=red").find("is no line of a configuration") != std::string::npos);
}

TEST_CASE("what goes to one machine is one launch, and a command is one daemon") {
  Result<LaunchPlan> plan = plan_of(at({0, 1, 2}, by_ssh({"ssh://a", "ssh://b", "ssh://a"})));
  REQUIRE(plan);
  REQUIRE(plan->parts.size() == 2);
  CHECK(plan->parts[0].slots == Slots{0, 2});
  CHECK(plan->parts[0].options == LaunchPlan::Options{{"remote", {"ssh://a"}}, {"timeout", {"10"}}});
  CHECK(plan->parts[1].slots == Slots{1});
  // In the order of the launches.
  CHECK(plan->parts[0].streams == std::vector<RandomStream>{streams(3)[0], streams(3)[1]});
  CHECK(plan->parts[1].streams == std::vector<RandomStream>{streams(3)[2]});

  Deployment command;
  command.plugin = "command";
  command.one_by_one = true;
  CHECK(plan_of(at({0, 1, 2}, command))->parts.size() == 3);
  CHECK(problem(at({0, 1, 2}, by_ssh({"ssh://a", "ssh://b"}))) ==
        "'args' and/or 'url' must be of length 1 or the same length");
  // Where all daemons have one URL.
  CHECK(plan_of(at({0}, by_ssh({"ssh://a", "ssh://b"})), {}, network(1))->parts.size() == 2);
}

TEST_CASE("arguments of a launch come before those of its launcher and of daemons()") {
  LaunchSession session;
  session.daemon.arguments = {{"maxtasks", "9"}, {"walltime", "7"}, {"autoexit", "FALSE"}};
  LaunchArguments arguments = at({0}, by_ssh({"ssh://a"}));
  arguments.configuration->limits = {{"idletime", "5"}, {"walltime", "6"}};
  arguments.daemon.arguments = {{"maxtasks", "1"}};

  Result<LaunchPlan> plan = plan_of(arguments, session);

  CHECK(plan->daemon.arguments ==
        std::vector<std::pair<std::string, std::string>>{
            {"maxtasks", "1"}, {"idletime", "5"}, {"walltime", "7"}, {"autoexit", "FALSE"}});
  CHECK(plan->at_end == Autoexit::stay);
  CHECK_FALSE(plan->output);
  arguments.configuration->options["slurm.logs"] = {"logs"};
  CHECK(plan_of(arguments, session)->output);
}

TEST_CASE("what cannot be launched is refused before anything is begun") {
  std::vector<Url> here = {url_of("abstract://name")};
  CHECK(problem(at({0}, by_ssh({"ssh://a"})), here) ==
        "a daemon on another machine cannot reach 'abstract://name': give daemons() a network URL, such as "
        "that "
        "of host_url()");
  Deployment tunnel = by_ssh({"ssh://a"});
  tunnel.options["tunnel"] = {"1"};
  CHECK(problem(at({0}, tunnel)).empty());
  CHECK(problem(at({0}, tunnel), {url_of("ws://login1:5/1")})
            .find("SSH tunnelling requires 'url' hostname to be '127.0.0.1' or 'localhost'") == 0);
  Deployment capped = by_ssh({"ssh://a"});
  capped.profile = "gpu";
  capped.most = 1;
  CHECK(problem(at({0, 1}, capped)).find("the site allows 1 daemon for a profile, not 2 (cap 'daemons'") ==
        0);
  CHECK(problem(at({0}, by_slurm(4097))).find("an agent has at most 4096 daemons, not 4097") == 0);
  CHECK(problem(at({0}, Deployment())) == "the configuration of launches names no plugin");
  std::vector<std::string> machines;
  for (std::size_t i = 0; i <= max_launches; ++i) machines.push_back("ssh://" + std::to_string(i));
  CHECK(problem(at({0}, by_ssh(machines))) == "more than 10000 launches at once");
  LaunchArguments usual;
  usual.usual = true;
  CHECK(problem(usual) == "nothing says how to launch");
}

TEST_CASE("the command of an agent names its first URL and how many daemons it runs") {
  LaunchPlan plan = *plan_of(at({0, 2}, by_ssh({"ssh://a"})));
  plan.rscript = "R%script";
  plan.output = true;

  CHECK(command_of(plan, plan.parts[0], {"ws://h:1/1", "ws://h:1/3"}, "stdin") ==
        std::vector<std::string>{"R%script", "-e",
                                 "tenkai::agent('ws://h:1/1',daemons=2,credential='stdin',output=TRUE)"});
  plan.daemon.arguments = {{"maxtasks", "5"}};
  CHECK(
      manifest_lines(plan, plan.parts[0], {"ws://h:1/1", "ws://h:1/3"}) ==
      "daemon=maxtasks=5\nurl=ws://h:1/1\nstream=0,1,2,3,4,5,6\nurl=ws://h:1/3\nstream=1,1,2,3,4,5,6\nend\n");
  plan.parts[0].streams.clear();
  CHECK(manifest_lines(plan, plan.parts[0], {"ws://h:1/1"}) ==
        "daemon=maxtasks=5\nurl=ws://h:1/1\nurl=ws://h:1/1\nend\n");
}

TEST_CASE("a command that is one daemon tells it where its credential is, where it needs one") {
  Deployment command;
  command.plugin = "command";
  command.one_by_one = true;
  LaunchPlan plan = *plan_of(at({0}, command));
  plan.parts[0].streams.clear();
  auto r_call = [&plan](const std::string& url) { return command_of(plan, plan.parts[0], {url}, "@f")[2]; };

  CHECK(r_call("ws://h:1/1") == "tenkai::daemon('ws://h:1/1',credential='@f')");
  CHECK(r_call("abstract://name") == "tenkai::daemon('abstract://name')");
}

TEST_CASE("an agent reads how much memory each daemon may have") {
  auto with = [](const std::string& memory) {
    Deployment deployment = by_ssh({"ssh://a"});
    deployment.options["limits.memory"] = {memory};
    return at({0}, deployment);
  };

  LaunchPlan plan = *plan_of(with("2G"));
  CHECK(manifest_lines(plan, plan.parts[0], {"ws://h:1/1"}).find("memory=2147483648\nurl=") == 0);
  for (const char* bad : {"", "2 G", "lots", "-1G", "99999999999T"}) {
    CHECK(problem(with(bad)) ==
          "limits.memory is '" + std::string(bad) + "', which is no amount of memory; write one, such as 2G");
  }
}

TEST_CASE("an agent is told how R is started for it, with or without R") {
  LaunchPlan plan = *plan_of(at({0, 2}, by_ssh({"ssh://a"})));
  plan.output = true;
  const LaunchPlan::Part& part = plan.parts[0];
  auto r_call = [&] { return command_of(plan, part, {"ws://h:1/1"}, "@f")[2]; };
  CHECK(agent_command(plan, part, "/opt/tenkai", "@f") ==
        std::vector<std::string>{"/opt/tenkai", "agent", "--manifest", "--credential", "@f", "--daemons", "2",
                                 "--autoexit", "1", "--output", "--rscript"});
  plan.output = false;
  plan.at_end = Autoexit::stay;
  CHECK(r_call() == "tenkai::agent('ws://h:1/1',daemons=2,credential='@f',autoexit=FALSE)");
  CHECK(agent_command(plan, part, "/opt/tenkai", "@f")[8] == "0");
  plan.at_end = Autoexit::finish;
  CHECK(r_call() == "tenkai::agent('ws://h:1/1',daemons=2,credential='@f',autoexit=NA)");
  CHECK(agent_command(plan, part, "/opt/tenkai", "@f")[8] == "na");

  SECTION("certificates may be texts, which R writes into a file") {
    plan.at_end = Autoexit::now;
    plan.daemon.tls = {"-----BEGIN\nit's \\", ""};
    CHECK(r_call() ==
          R"x(tenkai::agent('ws://h:1/1',daemons=2,credential='@f',tls=c('-----BEGIN\nit\'s \\','')))x");
    CHECK(agent_command(plan, part, "/opt/tenkai", "@f").empty());
  }
  SECTION("one R needs no agent") {
    plan.form = LaunchPlan::Form::daemon;
    CHECK(agent_command(plan, part, "/opt/tenkai", "@f").empty());
  }
}

TEST_CASE("slots are left for later: all of them where daemons are launched as there is work") {
  LaunchArguments usual;
  usual.usual = true;
  LaunchSession session;
  session.deployment = by_slurm(1);
  session.spare = 1;

  LaunchPlan larger = *plan_of(usual, session);
  REQUIRE(larger.parts.size() == 1);
  CHECK(larger.parts[0].slots == Slots{0, 1});
  CHECK(larger.spare->slots == Slots{2});
  CHECK(larger.spare->streams.front() == streams(3)[2]);
  CHECK_FALSE(larger.scale);

  session.scale.emplace().max = 2;
  LaunchPlan scaled = *plan_of(usual, session);
  CHECK(scaled.parts.empty());
  CHECK(scaled.spare->slots == Slots{0, 1, 2});
  CHECK(scaled.scale->max == 2);

  session.deployment = by_ssh({"ssh://a"});
  CHECK(plan_of(usual, session).error().message == "only jobs of a batch system can be launched later");
}

TEST_CASE("agents of a batch system share the daemons") {
  LaunchPlan plan = *plan_of(at({0, 2}, by_ssh({"ssh://a"})));
  CHECK(chunk_of(plan, plan.parts[0]) == std::nullopt);
  plan.chunk = 1;
  CHECK(chunk_of(plan, plan.parts[0]) == 1);
  CHECK(command_of(plan, plan.parts[0], {"ws://h:1/1", "ws://h:1/3"}, "@f")[2] ==
        "tenkai::agent('ws://h:1/1',daemons=1,credential='@f')");
  plan.chunk = 100;
  CHECK(chunk_of(plan, plan.parts[0]) == 2);

  plan.chunk = 0;
  LaunchPlan::Part many;
  many.slots.resize(64);
  CHECK(chunk_of(plan, many) == 1);
  many.slots.resize(1000);
  CHECK(chunk_of(plan, many) == 16);
  many.options["slurm.nodes"] = {"3"};
  CHECK(chunk_of(plan, many) == 334);

  Deployment lonely = by_slurm(1);
  lonely.one_by_one = true;
  CHECK(problem(at({0}, lonely)) == "daemons without an agent cannot share one");
}
