#include "launcher/doctor/r_report.h"

#include <chrono>
#include <string>

#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"

using namespace tenkai::doctor;

namespace {

const std::string healthy =
    "Loading something\n@r=4.2.2\n@home=/usr/lib/R\n@libraries=/lib/R\n@package=0.1.3\n@path=/lib/R/tenkai\n"
    "@loads=yes\n@program=/usr/bin/tenkai\n@program_trouble=\n@end=yes\n";

RReport report_of(const std::string& output, bool counts = true) {
  RReport report;
  report.id = "r";
  report.rscript = "Rscript";
  report.limit = std::chrono::seconds(20);
  report.counts = counts;
  report.own_version = "0.1.0";
  report.answer.output = output;
  report.answer.exit_code = 0;
  return report;
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("a healthy R has nothing to complain of") {
  Checks checks = judge_r(report_of(healthy));

  CHECK(bad_of(checks).empty());
  CHECK(checks.size() == 3);
}

TEST_CASE("what is missing in R is told by its own check") {
  CHECK(bad_of(judge_r(report_of(with(healthy, "@r=4.2.2", "@r=4.0.5")))) == "r.version wrong;");
  CHECK(bad_of(judge_r(report_of(with(healthy, "@package=0.1.3", "@package=")))) == "r.package wrong;");
  CHECK(bad_of(judge_r(report_of(with(healthy, "@package=0.1.3", "@package=0.2.0")))) ==
        "r.package_version wrong;");
  CHECK(bad_of(judge_r(report_of(with(healthy, "@loads=yes", "@loads=undefined symbol")))) ==
        "r.package wrong;");
  CHECK(bad_of(judge_r(report_of(with(healthy, "@program_trouble=", "@program_trouble=is 0.9.0")))) ==
        "r.program wrong;");
}

TEST_CASE("an R that does not start is told with what it wrote") {
  RReport report = report_of("");
  report.answer.exit_code = 127;
  report.answer.errors = "bash: line 1: Rscript: command not found\n";
  Checks checks = judge_r(report);

  CHECK(bad_of(checks) == "r wrong;");
  CHECK(checks[0].sentence.find("command not found") != std::string::npos);
  report.answer = {};
  report.answer.timed_out = true;
  CHECK(judge_r(report)[0].sentence == "gives no answer within 20 s");
}

TEST_CASE("an R that no daemon may run in is only a warning") {
  CHECK(bad_of(judge_r(report_of("", false))) == "r warning;");
  RReport report = report_of("", false);
  report.hint = "the nodes may have it";
  CHECK(judge_r(report)[0].sentence.ends_with("; the nodes may have it"));
  CHECK(bad_of(judge_r(report_of(with(healthy, "@package=0.1.3", "@package="), false))) ==
        "r.package warning;");
}

TEST_CASE("an R that takes long to start is a warning, and looked at nevertheless") {
  RReport report = report_of(healthy);
  report.answer.took = std::chrono::seconds(9);

  CHECK(bad_of(judge_r(report)) == "r.start warning;");
}

TEST_CASE("the last word of a report counts, and other lines do not") {
  auto said = read_report("@r=1\nx@r=2\n@r=3\r\n@odd\n@=x\n");

  CHECK(said["r"] == "3");
  CHECK(said.count("odd") == 0);
}
