#include "scheduler/cause.h"

#include <csignal>

#include "tests/catch.h"

using namespace tenkai;
using Kind = Cause::Kind;

TEST_CASE("each kind of cause has a word") {
  CHECK(name_of(Kind::killed) == "killed");
  CHECK(name_of(Kind::node_fail) == "node_fail");
  CHECK(name_of(Kind::oom) == "oom");
  CHECK(name_of(Kind::goodbye) == "goodbye");
}

TEST_CASE("a kind that only the wire knows counts as lost") {
  Kind unknown = static_cast<Kind>(200);
  Deaths deaths;

  deaths.add(unknown);

  CHECK(name_of(unknown) == "lost");
  CHECK(deaths.of(Kind::lost) == 1);
}

TEST_CASE("a signal from outside is told by its name") {
  Cause cause = cause_of_signal(SIGKILL, false);

  CHECK(cause.kind == Kind::killed);
  CHECK(cause.text == "was killed by signal 9 (SIGKILL)");
  CHECK(cause_of_signal(SIGTERM, true).kind == Kind::killed);
}

TEST_CASE("a crash is told in words") {
  Cause cause = cause_of_signal(SIGSEGV, false);

  CHECK(cause.kind == Kind::segfault);
  CHECK(cause.text == "was killed by signal 11 (segmentation fault)");
  CHECK(cause_of_signal(SIGABRT, false).kind == Kind::segfault);
  CHECK(cause_of_signal(SIGBUS, true).kind == Kind::segfault);
}

TEST_CASE("SIGKILL while memory ran out is oom") {
  Cause cause = cause_of_signal(SIGKILL, true);

  CHECK(cause.kind == Kind::oom);
  CHECK(cause.text == "was killed by signal 9 (SIGKILL) because memory ran out");
}

TEST_CASE("a signal without a name is told by its number") {
  CHECK(cause_of_signal(40, false).text == "was killed by signal 40");
}

TEST_CASE("a process that ends by itself has quit") {
  Cause cause = cause_of_exit(3);

  CHECK(cause.kind == Kind::quit);
  CHECK(cause.text == "ended by itself with exit code 3");
}

TEST_CASE("by default two deaths from outside are forgiven and none of the task's own doing") {
  Retries retries;

  CHECK(retries.allowed(Kind::killed) == 2);
  CHECK(retries.allowed(Kind::node_fail) == 2);
  CHECK(retries.allowed(Kind::oom) == 0);
  CHECK(retries.allowed(Kind::segfault) == 0);
  CHECK(retries.allowed(Kind::quit) == 0);
}

TEST_CASE("deaths from outside share one count") {
  Retries retries;
  Deaths deaths;

  deaths.add(Kind::killed);
  CHECK(retries.permit(deaths, Kind::killed));
  deaths.add(Kind::lost);
  CHECK(retries.permit(deaths, Kind::lost));
  deaths.add(Kind::preempted);
  CHECK_FALSE(retries.permit(deaths, Kind::preempted));
}

TEST_CASE("a kind with an exception is counted by itself") {
  Retries retries = *parse_retries("1,oom=2,lost=0");
  Deaths deaths;

  deaths.add(Kind::oom);
  deaths.add(Kind::oom);
  CHECK(retries.permit(deaths, Kind::oom));
  deaths.add(Kind::killed);
  CHECK(retries.permit(deaths, Kind::killed));
  deaths.add(Kind::lost);
  CHECK_FALSE(retries.permit(deaths, Kind::lost));
  deaths.add(Kind::oom);
  CHECK_FALSE(retries.permit(deaths, Kind::oom));
}

TEST_CASE("retries are read from their text") {
  CHECK(parse_retries("0")->outside == 0);
  CHECK(parse_retries("1000")->outside == 1000);

  Result<Retries> both = parse_retries("3,oom=1");
  REQUIRE(both);
  CHECK(both->outside == 3);
  CHECK(both->allowed(Kind::oom) == 1);

  Result<Retries> named = parse_retries("oom=1,lost=0");
  REQUIRE(named);
  CHECK(named->outside == 2);
  CHECK(named->allowed(Kind::lost) == 0);
  CHECK(named->allowed(Kind::killed) == 2);
}

TEST_CASE("retries say what changes with the next attempt") {
  Result<Retries> retries =
      parse_retries("1,oom=2:mem=x2,time_limit=:time=x1.5,node_fail=:exclude_node,lost=0:exclude_node");
  REQUIRE(retries);
  CHECK(retries->outside == 1);
  CHECK(retries->allowed(Kind::oom) == 2);
  CHECK(retries->allowed(Kind::time_limit) == 1);
  CHECK(retries->by_kind.count(Kind::node_fail) == 0);
  CHECK(retries->factors == Factors{200, 150});
  CHECK(retries->exclude_node == std::set{Kind::node_fail, Kind::lost});

  CHECK(retries->escalates(Kind::oom));
  CHECK(retries->escalates(Kind::time_limit));
  CHECK_FALSE(retries->escalates(Kind::node_fail));
  CHECK(retries->need_after(Kind::oom, {1, 1}) == Size{2, 1});
  CHECK(retries->need_after(Kind::time_limit, {1, 1}) == Size{1, 2});
  CHECK(retries->need_after(Kind::killed, {1, 1}) == Size{1, 1});
  CHECK(retries->need_after(Kind::oom, {max_steps, 0}) == std::nullopt);
  CHECK_FALSE(parse_retries("2,oom=1")->escalates(Kind::oom));
}

TEST_CASE("changes that make no sense are refused and named") {
  auto refusal = [](std::string_view text) {
    Result<Retries> retries = parse_retries(text);
    if (retries) return std::string("accepted");
    std::string message = retries.error().message;
    return message.substr(message.find("\": ") + 3);
  };

  CHECK(refusal("oom=1:mem") == "\"mem\" is none of mem=x2, time=x2 and exclude_node");
  CHECK(refusal("oom=1:") == "\"\" is none of mem=x2, time=x2 and exclude_node");
  CHECK(refusal("oom=1::mem=x2") == "\"\" is none of mem=x2, time=x2 and exclude_node");
  CHECK(refusal("oom=1:cpus=x2") == "\"cpus=x2\" is none of mem=x2, time=x2 and exclude_node");
  CHECK(refusal("oom=1:mem=2") == "\"mem=2\" is no factor such as x2 or x1.5, of at most x16");
  CHECK(refusal("oom=1:mem=x1") == "\"mem=x1\" is no factor such as x2 or x1.5, of at most x16");
  CHECK(refusal("oom=1:mem=x2:mem=x3") == "\"mem\" is given twice");
  CHECK(refusal("oom=:mem=x2") == "after oom nothing is tried again; say how often");
  CHECK(refusal("0,time_limit=:time=x2") == "after time_limit nothing is tried again; say how often");
  CHECK(refusal("killed=1:mem=x2") == "mem goes with oom, not with killed");
  CHECK(refusal("oom=1:time=x2") == "time goes with time_limit, not with oom");
  CHECK(refusal("oom=1:exclude_node") == "exclude_node goes with node_fail, killed and lost, not with oom");
  CHECK(refusal("lost=1:exclude_node=1") == "\"exclude_node=1\" is none of mem=x2, time=x2 and exclude_node");
  CHECK(refusal("2:exclude_node") == "\"2:exclude_node\" is not a whole number from 0 to 1000");
}

TEST_CASE("retries that make no sense are refused and named") {
  auto refusal = [](std::string_view text) {
    Result<Retries> retries = parse_retries(text);
    return retries ? "accepted" : retries.error().message;
  };

  CHECK(refusal("-1") == "cannot read retries = \"-1\": \"-1\" is not a whole number from 0 to 1000");
  CHECK(refusal("1001") == "cannot read retries = \"1001\": \"1001\" is not a whole number from 0 to 1000");
  CHECK(refusal("99999999999") ==
        "cannot read retries = \"99999999999\": \"99999999999\" is not a whole number from 0 to 1000");
  CHECK(refusal("2.5") == "cannot read retries = \"2.5\": \"2.5\" is not a whole number from 0 to 1000");
  CHECK(refusal("") == "cannot read retries = \"\": \"\" is not a whole number from 0 to 1000");
  CHECK(refusal("2,") == "cannot read retries = \"2,\": \"\" is not a whole number from 0 to 1000");
  CHECK(refusal("oom=") == "cannot read retries = \"oom=\": \"\" is not a whole number from 0 to 1000");
  CHECK(refusal("oom=-2") == "cannot read retries = \"oom=-2\": \"-2\" is not a whole number from 0 to 1000");
  CHECK(refusal("1,2") == "cannot read retries = \"1,2\": there is more than one number without a name");
  CHECK(refusal("oom=1,oom=2") == "cannot read retries = \"oom=1,oom=2\": \"oom\" is given twice");
  CHECK(refusal("fire=1") ==
        "cannot read retries = \"fire=1\": there is no cause called \"fire\"; there are killed, lost, "
        "preempted, node_fail, time_limit, job_cancelled, oom, segfault, "
        "limit, quit");
  CHECK(refusal("goodbye=1").find("no cause called \"goodbye\"") != std::string::npos);
}
