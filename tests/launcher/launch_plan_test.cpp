#include "launcher/launch_plan.h"

#include <chrono>

#include "base/text.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

const std::string whole =
    "plugin=ssh\nrscript=R%25script\nprofile=gpu\nform=agent\noutput=1\n"
    "option=timeout=10\nlaunch=\nslot=1\ncall=tenkai::daemon('fd:3',rs=c(1))\nslot=3\ncall=b%0Ac\n"
    "option=remote=ssh://a\nlaunch=\nslot=2\ncall=d\noption=remote=ssh://b\n";

std::string problem(const std::string& text) {
  Result<LaunchPlan> plan = parse_launch_plan(text, 3);
  return plan ? "" : plan.error().message;
}

}  // namespace

TEST_CASE("a launch plan says what to launch where") {
  Result<LaunchPlan> plan = parse_launch_plan(whole, 3);

  REQUIRE(plan);
  CHECK(plan->plugin == "ssh");
  CHECK(plan->rscript == "R%script");
  CHECK(plan->profile == "gpu");
  REQUIRE(plan->parts.size() == 2);
  CHECK(plan->parts[0].slots == std::vector<std::size_t>{0, 2});
  CHECK(plan->parts[0].calls[1] == "b\nc");
  CHECK(plan->parts[0].options.at("remote") == std::vector<std::string>{"ssh://a"});
  CHECK(plan->parts[1].options.at("timeout") == std::vector<std::string>{"10"});
}

TEST_CASE("a launch plan that is none is refused with the reason") {
  CHECK(problem("") == "the launch plan names no plugin");
  CHECK(problem("plugin=ssh") == "there is nothing to launch");
  CHECK(problem("plugin=ssh\nlaunch=\nslot=4\ncall=a") == "there is no slot 4");
  CHECK(problem("plugin=ssh\nlaunch=\nslot=0\ncall=a") == "there is no slot 0");
  CHECK(problem("plugin=ssh\nlaunch=\nslot=1") == "a launch needs a slot, and a call for each");
  CHECK(problem("plugin=ssh\nform=daemon\nlaunch=\nslot=1\ncall=a\nslot=2\ncall=b") == "one R is one daemon");
  CHECK(problem("plugin=ssh\ncolour=red").find("'colour=red' is no line of a launch plan") == 0);
  CHECK(problem("plugin=ssh\nslot=1").find("is no line") != std::string::npos);
  CHECK(problem("plugin=ssh\nautoexit=2").find("'2' is no line") == 0);
  CHECK(problem("plugin=ssh\noption=x").find("is no line") != std::string::npos);
  std::string many = "plugin=ssh\n";
  for (int i = 0; i < 10'001; ++i) many += "launch=\n";
  CHECK(problem(many) == "more than 10000 launches at once");
}

TEST_CASE("the command of an agent names its first URL and how many daemons it runs") {
  LaunchPlan plan = *parse_launch_plan(whole, 3);

  CHECK(command_of(plan, plan.parts[0], {"ws://h:1/1", "ws://h:1/3"}, "stdin") ==
        std::vector<std::string>{"R%script", "-e",
                                 "tenkai::agent('ws://h:1/1',daemons=2,credential='stdin',output=TRUE)"});
  CHECK(manifest_lines(plan.parts[0], {"ws://h:1/1", "ws://h:1/3"}) ==
        "url=ws://h:1/1\ncall=tenkai::daemon('fd:3',rs=c(1))\nurl=ws://h:1/3\ncall=b%0Ac\nend\n");
}

TEST_CASE("an agent reads how much memory each daemon may have") {
  auto plan_with = [](const std::string& memory) {
    return parse_launch_plan("plugin=ssh\noption=limits.memory=" + memory + "\nlaunch=\nslot=1\ncall=a\n", 1);
  };

  CHECK(manifest_lines(plan_with("2G")->parts[0], {"ws://h:1/1"}) ==
        "memory=2147483648\nurl=ws://h:1/1\ncall=a\nend\n");
  for (const char* bad : {"", "2 G", "lots", "-1G", "99999999999T"}) {
    Result<LaunchPlan> plan = plan_with(bad);
    REQUIRE_FALSE(plan);
    CHECK(plan.error().message ==
          "limits.memory is '" + std::string(bad) + "', which is no amount of memory; write one, such as 2G");
  }
}

TEST_CASE("an agent is told how R is started for it, with or without R") {
  LaunchPlan plan = *parse_launch_plan(whole, 3);
  const LaunchPlan::Part& part = plan.parts[0];
  auto r_call = [&] { return command_of(plan, part, {"ws://h:1/1"}, "@f")[2]; };
  CHECK(agent_command(plan, part, "/opt/tenkai", "@f") ==
        std::vector<std::string>{"/opt/tenkai", "agent", "--manifest", "--credential", "@f", "--daemons", "2",
                                 "--autoexit", "1", "--output", "--rscript"});
  plan.output = false;
  plan.at_end = LaunchPlan::AtEnd::stay;
  CHECK(r_call() == "tenkai::agent('ws://h:1/1',daemons=2,credential='@f',autoexit=FALSE)");
  CHECK(agent_command(plan, part, "/opt/tenkai", "@f")[8] == "0");
  plan.at_end = LaunchPlan::AtEnd::finish;
  CHECK(r_call() == "tenkai::agent('ws://h:1/1',daemons=2,credential='@f',autoexit=NA)");
  CHECK(agent_command(plan, part, "/opt/tenkai", "@f")[8] == "na");

  SECTION("certificates may be texts, which R writes into a file") {
    plan.at_end = LaunchPlan::AtEnd::now;
    plan.tls = {"-----BEGIN\nit's \\", ""};
    CHECK(r_call() ==
          R"x(tenkai::agent('ws://h:1/1',daemons=2,credential='@f',tls=c('-----BEGIN\nit\'s \\','')))x");
    CHECK(agent_command(plan, part, "/opt/tenkai", "@f").empty());
    CHECK(*parse_launch_plan(to_text(plan), 3) == plan);
  }
  SECTION("one R needs no agent") {
    plan.form = LaunchPlan::Form::daemon;
    CHECK(agent_command(plan, part, "/opt/tenkai", "@f").empty());
  }
}

TEST_CASE("a launch plan may leave slots for later") {
  const std::string later =
      "plugin=slurm\ncredential=file\nchunk=1\nscale=1,50,0.5,300000,1000\noption=a=b\nspare=\nslot=2\ncall="
      "x\n"
      "slot=3\ncall=y\n";
  Result<LaunchPlan> plan = parse_launch_plan(later, 3);
  REQUIRE(plan);
  CHECK(plan->parts.empty());
  CHECK(plan->scale->min == 1);
  CHECK(plan->scale->max == 50);
  CHECK(plan->scale->backlog == 0.5);
  CHECK(plan->scale->idle == std::chrono::minutes(5));
  CHECK(plan->scale->pace == std::chrono::seconds(1));
  CHECK(plan->spare->slots == std::vector<std::size_t>{1, 2});
  CHECK(plan->spare->options.at("a") == std::vector<std::string>{"b"});
  CHECK(*parse_launch_plan(to_text(*plan), 3) == *plan);

  auto with = [&later](const std::string& scale) {
    std::string text = later;
    std::size_t at = text.find("scale=");
    return problem(text.replace(at, text.find('\n', at) - at, scale));
  };
  for (std::string bad : {"scale=", "scale=1,2,3,4", "scale=3,2,1,1,1", "scale=0,0,1,1,1", "scale=0,1,0,1,1",
                          "scale=0,1,-1,1,1", "scale=0,1,inf,1,1", "scale=0,1,nan,1,1", "scale=0,1,1x,1,1",
                          "scale=0,1,1,99999999999,1"}) {
    INFO(bad);
    CHECK(with(bad).find("is no line of a launch plan") != std::string::npos);
  }
  CHECK(problem("plugin=slurm\nscale=0,1,1,1,1\nlaunch=\nslot=1\ncall=a") ==
        "there are no slots between which to scale");
  CHECK(problem("plugin=ssh\nspare=\nslot=1\ncall=a") == "only jobs of a batch system can be launched later");
  CHECK(problem("plugin=slurm\nspare=\nspare=").find("is no line") != std::string::npos);
  CHECK(problem("plugin=slurm\nspare=\nlaunch=").find("is no line") != std::string::npos);
}

TEST_CASE("agents of a batch system share the daemons") {
  LaunchPlan plan = *parse_launch_plan(whole, 3);
  CHECK(chunk_of(plan, plan.parts[0]) == std::nullopt);
  plan.chunk = 1;
  CHECK(chunk_of(plan, plan.parts[0]) == 1);
  CHECK(command_of(plan, plan.parts[0], {"ws://h:1/1", "ws://h:1/3"}, "@f")[2] ==
        "tenkai::agent('ws://h:1/1',daemons=1,credential='@f',output=TRUE)");
  plan.chunk = 100;
  CHECK(chunk_of(plan, plan.parts[0]) == 2);
  CHECK(parse_launch_plan(to_text(plan), 3)->chunk == 100);

  plan.chunk = 0;
  LaunchPlan::Part many;
  many.slots.resize(64);
  CHECK(chunk_of(plan, many) == 1);
  many.slots.resize(1000);
  CHECK(chunk_of(plan, many) == 16);
  many.options["slurm.nodes"] = {"3"};
  CHECK(chunk_of(plan, many) == 334);

  CHECK(problem("plugin=slurm\nchunk=x").find("is no line") != std::string::npos);
  CHECK(problem("plugin=slurm\nchunk=1\nform=daemon\nlaunch=\nslot=1\ncall=a") ==
        "daemons without an agent cannot share one");
}

TEST_CASE("the command of one daemon is the call it was given") {
  LaunchPlan plan = *parse_launch_plan(
      "plugin=command\nform=daemon\ncredential=file\nlaunch=\nslot=1\n"
      "call=tenkai::daemon('@URL@',credential='@CREDENTIAL@')\n",
      1);

  CHECK(command_of(plan, plan.parts[0], {"ws://h:1/1"}, "@/f") ==
        std::vector<std::string>{"Rscript", "-e", "tenkai::daemon('ws://h:1/1',credential='@/f')"});
}

TEST_CASE("any value fits into a line, and comes out as it went in") {
  std::string value = "100%25\n\r\t%0A%";

  CHECK(escape_line(value).find_first_of("\n\r\t") == std::string::npos);
  CHECK(unescape_line(escape_line(value)) == value);
  CHECK(unescape_line("%4%") == "%4%");
}
