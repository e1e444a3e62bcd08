#include "plugins/slurm/job_fate.h"

#include <chrono>
#include <string>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

namespace {

using State = JobFate::State;

JobReport report(const std::string& message) {
  JobReport made;
  made.message = message;
  return made;
}

// Each a step of the table in the header, by its first letter.
JobFate after(const std::string& steps) {
  JobFate fate;
  for (char step : steps) {
    if (step == 'h') fate.hold(report("held"), SlurmTime() + std::chrono::seconds(1));
    if (step == 'o') fate.go_on();
    if (step == 'g') fate.give_up(report("given up"));
    if (step == 'c') fate.cancel();
  }
  return fate;
}

std::string why(const JobFate& fate) { return fate.report() ? fate.report()->message : ""; }

}  // namespace

TEST_CASE("the fate of a job goes the ways of its table and no others") {
  struct Row {
    const char* steps;
    State state;
    const char* why;
  };
  auto row = GENERATE(values<Row>({
      {"", State::open, ""},
      {"h", State::held, "held"},
      {"g", State::given_up, "given up"},
      {"c", State::cancelled, ""},
      {"o", State::open, ""},
      {"ho", State::open, ""},
      {"hg", State::given_up, "given up"},
      {"hc", State::cancelled, ""},
      {"gh", State::given_up, "given up"},
      {"go", State::given_up, "given up"},
      {"gc", State::cancelled, "given up"},
      {"cg", State::cancelled, "given up"},
      {"ch", State::cancelled, ""},
      {"co", State::cancelled, ""},
  }));
  CAPTURE(row.steps);
  JobFate fate = after(row.steps);

  CHECK(fate.state() == row.state);
  CHECK(why(fate) == row.why);
  CHECK(fate.until().has_value() == (row.state == State::held));
  CHECK(fate.is_decided() == (row.state == State::given_up || row.state == State::cancelled));
}
