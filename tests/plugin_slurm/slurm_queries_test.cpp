#include "plugins/slurm/slurm_jobs.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "launcher/plugin/failure.h"
#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("absence is no end until it was seen three times") {
  SlurmJobs jobs = array_of(1);
  CHECK(jobs.on_queue(noon - seconds(1), noon, {}).empty());
  CHECK(jobs.find("5_0")->asking.absences() == 0);

  SlurmTime now = noon + minutes(1);
  for (int i = 0; i < 3; ++i) {
    CHECK(jobs.accounts_wanted().empty());
    REQUIRE(jobs.query_due());
    now = std::max(now, *jobs.query_due());
    CHECK(jobs.on_queue(now, now, {}).empty());
  }
  CHECK(jobs.accounts_wanted() == std::vector<std::string>{"5"});
  CHECK_FALSE(jobs.query_due());
  CHECK(now <= noon + minutes(3));

  auto news = jobs.on_accounts(now, parse_accounts("5_0|FAILED|3:0|n1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].exit_code == 3);
  CHECK(news[0].where == "n1");
}

TEST_CASE("of a job that has begun, and that Slurm has forgotten, the database is asked at once") {
  SlurmJobs jobs = array_of(2);
  for (const char* name : {"5_0", "5_1"}) {
    jobs.on_status_file(noon, name, started_on("n1"), "");
    jobs.on_suspicion(noon + minutes(5), name);
  }
  SlurmTime now = noon + minutes(5);

  CHECK(jobs.on_queue(now, now, {}).empty());
  CHECK(jobs.accounts_wanted() == std::vector<std::string>{"5"});

  auto news = jobs.on_accounts(now, parse_accounts("5_0|TIMEOUT|0:0|n1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].cause == cause::time_limit);
  // What it does not know is not lost for that.
  CHECK(jobs.live().size() == 1);
  CHECK_FALSE(jobs.find("5_1")->asking.state() == Asking::State::lost);
  CHECK(jobs.query_due());
}

TEST_CASE("a job that comes back was never gone") {
  SlurmJobs jobs = array_of(1);
  for (int i = 1; i <= 2; ++i) jobs.on_queue(noon + minutes(i), noon + minutes(i), {});
  jobs.on_queue(noon + minutes(3), noon + minutes(3), queue("5_0|PENDING|Priority||t-1\n"));
  jobs.on_queue(noon + minutes(4), noon + minutes(4), {});

  CHECK(jobs.find("5_0")->asking.absences() == 1);
  CHECK(jobs.accounts_wanted().empty());
}

TEST_CASE("of a job that nobody knows any more the last sign is told") {
  SlurmJobs jobs = array_of(1);
  jobs.on_status_file(noon, "5_0", started_on("n1"), "");
  jobs.on_suspicion(noon + minutes(5), "5_0");
  SlurmTime now = noon + minutes(5);
  for (int i = 0; i < 3; ++i) {
    now = std::max(now, *jobs.query_due());
    jobs.on_queue(now, now, {});
  }

  auto news = jobs.on_accounts(now, {});
  REQUIRE(news.size() == 1);
  CHECK(news[0].cause == cause::unknown);
  CHECK(news[0].message.find("R was found on n1") != std::string::npos);
  CHECK_FALSE(jobs.query_due());

  // It may come all the same, and is to be cancelled then.
  CHECK(jobs.live().size() == 1);
  news = jobs.on_queue(now + minutes(5), now + minutes(5), queue("5_0|COMPLETED|None|n1|t-1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].exit_code == 0);
}

TEST_CASE("a job that was told as gone and begins all the same is told") {
  SlurmJobs jobs = array_of(1);
  SlurmTime now = noon + minutes(1);
  for (int i = 0; i < 3; ++i) {
    now = std::max(now, *jobs.query_due());
    jobs.on_queue(now, now, {});
  }
  CHECK(jobs.on_accounts(now, {}).size() == 1);

  auto news = jobs.on_status_file(now + minutes(9), "5_0", started_on("n1"), "");
  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::starting);
}

TEST_CASE("who has cancelled a job is asked of the database") {
  SlurmJobs jobs = array_of(2);
  jobs.on_queue(noon + minutes(1), noon + minutes(1),
                queue("5_0|CANCELLED|None||t-1\n5_1|CANCELLED|None||t-1\n"));
  CHECK(jobs.accounts_wanted() == std::vector<std::string>{"5"});

  auto news =
      jobs.on_accounts(noon + minutes(1), parse_accounts("5_0|CANCELLED by 1000|0:0|None assigned\n"));
  REQUIRE(news.size() == 2);
  CHECK(news[0].cause == cause::job_cancelled);
  CHECK(news[0].message.find("by user 1000") != std::string::npos);
  CHECK(news[1].cause == cause::job_cancelled);
  CHECK(jobs.live().empty());
}

TEST_CASE("a text that Slurm has cut still speaks of the jobs behind the cut") {
  SlurmJobs jobs = array_of(200);
  auto news = jobs.on_queue(noon + minutes(1), noon + minutes(1),
                            queue("5_[0,2,4,...]|PENDING|Priority||t-1\n5_7|RUNNING|None|n1|t-1\n"));

  CHECK(news.size() == 200);
  CHECK(jobs.find("5_7")->phase == SlurmJob::Phase::running);
}

TEST_CASE("many suspicions are one query") {
  SlurmJobs jobs = array_of(100);
  for (const SlurmJob* job : jobs.live())
    jobs.on_status_file(noon, job->place.name.text(), started_on("n1"), "");
  CHECK_FALSE(jobs.query_due());
  for (const SlurmJob* job : jobs.live()) jobs.on_suspicion(noon + minutes(2), job->place.name.text());
  CHECK(jobs.query_due() == noon + minutes(2));

  std::string all = "5_[0-99]|RUNNING|None|n1|t-1\n";
  jobs.on_queue(noon + minutes(2), noon + minutes(2), queue(all));
  jobs.on_suspicion(noon + minutes(2) + seconds(5), "5_3");
  CHECK(jobs.query_due() == noon + minutes(2) + seconds(6));
}

TEST_CASE("no answer is told to those who ask, and asked for again later") {
  SlurmJobs jobs = array_of(1);
  jobs.on_no_answer(noon + minutes(1), "Unable to contact slurm controller");

  CHECK(jobs.report_of("5_0")->message.find("Unable to contact") != std::string::npos);
  CHECK(jobs.query_due() == noon + minutes(4));
  CHECK_FALSE(jobs.report_of("9_9"));
}
