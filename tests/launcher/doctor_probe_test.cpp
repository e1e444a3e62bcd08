#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "launcher/doctor/probe_checks.h"
#include "launcher/doctor/question.h"
#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"

using namespace tenkai::doctor;

namespace {

const std::string report =
    "@host=n1\n@seconds=1000\n@processors=2\n@memory=1073741824\n@shared=yes\n@temporary=yes\n@r=4.2.2\n"
    "@package=0.1.0\n@path=/lib/tenkai\n@loads=yes\n@program=/bin/tenkai\n@end=yes\n@exit=0\n@over=yes\n";

ProbeOutcome healthy() {
  ProbeOutcome outcome;
  outcome.plan = {"word", {"login1", "10.0.0.3", "10.1.0.3"}, 6000, "/home/anna/.cache/x", "Rscript"};
  outcome.dialled = "login1";
  outcome.launcher = "slurm";
  outcome.own = {{"eth0", "10.0.0.3"}, {"ib0", "10.1.0.3"}};
  outcome.calls = {{"10.1.0.3", report}, {"login1", report}};
  outcome.limit = std::chrono::seconds(120);
  outcome.begun = 990;
  outcome.ended = 1010;
  outcome.own_version = "0.1.0";
  return outcome;
}

template <class Change>
Checks checks_with(Change change) {
  ProbeOutcome outcome = healthy();
  change(outcome);
  return judge_probe(outcome);
}

template <class Change>
std::string bad_with(Change change) {
  return bad_of(checks_with(change));
}

}  // namespace

TEST_CASE("a probe that comes back has nothing to complain of") {
  CHECK(bad_with([](ProbeOutcome&) {}).empty());
  CHECK(checks_with([](ProbeOutcome&) {})[0].sentence == "has run on n1");
}

TEST_CASE("the quickest address is proposed where the one that is dialled does not lead back") {
  Checks checks = checks_with([](ProbeOutcome& it) { it.calls.pop_back(); });

  auto url = std::ranges::find(checks, "probe.url", &Check::id);
  REQUIRE(url != checks.end());
  CHECK(url->state == State::wrong);
  CHECK(url->mend == "set interface: ib0 in the profile (10.1.0.3)");
}

TEST_CASE("a probe that cannot come back has left what it found") {
  CHECK(bad_with([](ProbeOutcome& it) {
          it.calls.clear();
          it.left = report;
        }) == "probe.reach wrong;");
}

TEST_CASE("a probe that never came says how far it got") {
  auto silent = [](ProbeOutcome& it) { it.calls.clear(); };
  CHECK(bad_with(silent) == "probe.job wrong;");
  CHECK(checks_with(silent)[0].sentence == "has not reported within 120 s");
  Checks failed = checks_with([](ProbeOutcome& it) {
    it.calls.clear();
    it.has_ended = true;
    it.trouble = "module_missing: there is no R/9.9\n";
  });
  CHECK(failed[0].sentence == "did not run: module_missing: there is no R/9.9");
}

TEST_CASE("each want of the other side has its check") {
  auto with = [](const std::string& from, const std::string& to) {
    return bad_with([&](ProbeOutcome& it) { replace(it.calls[0].report, from, to); });
  };
  CHECK(with("@shared=yes", "@shared=no") == "probe.folder wrong;");
  CHECK(with("@temporary=yes", "@temporary=no") == "probe.temporary wrong;");
  CHECK(with("@seconds=1000", "@seconds=5000") == "probe.clock warning;");
  CHECK(with("@package=0.1.0", "@package=") == "probe.r.package wrong;");
  CHECK(with("@r=4.2.2", "@r=3.6.0") == "probe.r.version wrong;");
}

TEST_CASE("only a whole call with the word of the probe counts") {
  ProbeCall call;

  CHECK(read_probe_call("word 10.0.0.3\n@host=n1\n@over=yes\n", "word", call));
  CHECK(call.address == "10.0.0.3");
  for (const char* text : {"", "word", "GET / HTTP/1.1\n@over=yes\n", "wordy 10.0.0.3\n@over=yes\n",
                           "word 10.0.0.3\n@host=n1\n", "other 10.0.0.3\n@host=n1\n@over=yes\n"}) {
    CHECK_FALSE(read_probe_call(text, "word", call));
  }
}

TEST_CASE("the script of a probe runs in a plain shell, and ends well with nobody there") {
  ProbePlan plan{"word", {}, 1, "/no such folder", "/no such/Rscript"};
  Question question{{"sh", "-s"}, {}, probe_script(plan)};

  Answer answer = ask_all({question}).front();

  CHECK(answer.exit_code == 0);
  CHECK(answer.errors.empty());
}
