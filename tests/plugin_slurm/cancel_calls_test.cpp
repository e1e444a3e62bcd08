#include "plugins/slurm/cancel_calls.h"

#include <cstdint>

#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;

namespace {

using Calls = std::vector<std::vector<std::string>>;

std::vector<std::string> all(const SlurmJobs& jobs) {
  std::vector<std::string> names;
  for (const SlurmJob* job : jobs.live()) names.push_back(job->place.name.text());
  return names;
}

}  // namespace

TEST_CASE("an array whose jobs all go is cancelled by its id") {
  SlurmJobs jobs = array_of(1000);

  CHECK(cancel_calls(jobs, all(jobs)) == Calls{{"scancel", "5"}});
}

TEST_CASE("of an array that stays in part its elements are named") {
  SlurmJobs jobs = array_of(3);

  CHECK(cancel_calls(jobs, {"5_0", "5_2"}) == Calls{{"scancel", "5_0", "5_2"}});
  CHECK(cancel_calls(jobs, {"7_7"}).empty());
  CHECK(cancel_calls(jobs, {}).empty());
}

TEST_CASE("what has ended or is being cancelled does not hold the rest") {
  SlurmJobs jobs = array_of(3);
  jobs.on_status_file(noon, "5_1", exited("n1", 0), "");
  jobs.on_cancelling("5_2");

  CHECK(cancel_calls(jobs, {"5_0"}) == Calls{{"scancel", "5"}});
}

TEST_CASE("those that wait are cancelled first, a hundred with each call") {
  SlurmJobs jobs;
  for (std::uint32_t i = 0; i < 150; ++i) {
    jobs.add(noon, place_of(std::to_string(1000 + i), 0), false);
    if (i < 75) jobs.on_status_file(noon, std::to_string(1000 + i) + "_0", started_on("n1"), "");
  }
  Calls calls = cancel_calls(jobs, all(jobs));

  REQUIRE(calls.size() == 2);
  CHECK(calls[0].size() == 101);
  CHECK(calls[1].size() == 51);
  CHECK(calls[0][1] == "1075");
  CHECK(calls[1].back() == "1074");
}

TEST_CASE("a job goes with the last of its ranks") {
  SlurmJobs jobs;
  for (std::uint32_t i = 0; i < 2; ++i) {
    jobs.add(noon, {{"9", i, true}, "t-1", ""}, false);
  }

  CHECK(cancel_calls(jobs, {"9.0"}).empty());
  jobs.on_cancelling("9.0");
  CHECK(cancel_calls(jobs, {"9.1"}) == Calls{{"scancel", "9"}});
}

TEST_CASE("each cluster has its own call") {
  SlurmJobs jobs;
  JobPlace place = place_of("5", 0);
  place.cluster = "alpha";
  jobs.add(noon, place, false);

  CHECK(cancel_calls(jobs, {"5_0"}) == Calls{{"scancel", "--clusters=alpha", "5"}});
}
