#include "plugins/slurm/slurm_jobs.h"

#include <chrono>
#include <string>

#include "launcher/plugin/failure.h"
#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a job tells by itself that it runs and how it ends") {
  SlurmJobs jobs = array_of(1);

  auto news = jobs.on_status_file(noon + seconds(2), "5_0", started_on("n1"), "");
  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::starting);
  CHECK(news[0].where == "n1");
  CHECK_FALSE(jobs.query_due());

  news = jobs.on_status_file(noon + seconds(9), "5_0", exited("n1", 3), "it broke\n");
  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::ended);
  CHECK(news[0].exit_code == 3);
  CHECK(news[0].cause == cause::none);
  CHECK(news[0].log == "it broke\n");
  CHECK(jobs.live().empty());
}

TEST_CASE("while a job brings tenkai along its silence is no end") {
  SlurmJobs jobs = array_of(1);
  jobs.on_status_file(noon, "5_0", started_on("n1"), "");
  const std::string text = "started n1 0\nready\nrscript /usr/bin/Rscript\nbringing\n";

  auto news = jobs.on_status_file(noon + seconds(1), "5_0", parse_status_file(text), "");

  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::starting);
  CHECK(news[0].suspended);
  CHECK(news[0].message.ends_with("is brought along to n1"));
  jobs.on_suspicion(noon + minutes(2), "5_0");
  CHECK(jobs.on_queue(noon + minutes(2), noon + minutes(2), queue("5_0|RUNNING|None|n1|t-1\n")).empty());

  news = jobs.on_status_file(noon + minutes(3), "5_0", parse_status_file(text + "brought\n"), "");

  REQUIRE(news.size() == 1);
  CHECK_FALSE(news[0].suspended);
  CHECK(news[0].message.empty());
}

TEST_CASE("the same status file is told once") {
  SlurmJobs jobs = array_of(1);
  CHECK(jobs.on_status_file(noon, "5_0", started_on("n1"), "").size() == 1);
  CHECK(jobs.on_status_file(noon, "5_0", started_on("n1"), "").empty());
  CHECK(jobs.on_status_file(noon, "6_0", started_on("n1"), "").empty());
}

TEST_CASE("a rank is where it says itself, though its job has told first") {
  SlurmJobs jobs = array_of(2);
  jobs.on_status_file(noon, "5_1", started_on("n1"), "");

  auto news = jobs.on_status_file(noon + seconds(1), "5_1", started_on("n2"), "");

  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::starting);
  CHECK(news[0].where == "n2");
  CHECK(jobs.on_status_file(noon + seconds(2), "5_1", started_on("n2"), "").empty());
}

TEST_CASE("a missing module is the cause") {
  SlurmJobs jobs = array_of(1);
  auto news = jobs.on_status_file(noon, "5_0", parse_status_file("started n1 0\nfailed module R/9\nexit 1\n"),
                                  "no such module");

  REQUIRE(news.size() == 2);
  CHECK(news[1].cause == cause::module_missing);
  CHECK(news[1].message.find("n1") != std::string::npos);
}

TEST_CASE("an end by a signal waits for Slurm's word") {
  struct Case {
    std::string word;
    FailureCause cause;
  };
  for (const Case& each : {Case{"OUT_OF_MEMORY", cause::oom}, Case{"TIMEOUT", cause::time_limit},
                           Case{"PREEMPTED", cause::preempted}, Case{"NODE_FAIL", cause::node_fail},
                           Case{"DEADLINE", cause::time_limit}}) {
    SlurmJobs jobs = array_of(1);
    jobs.on_status_file(noon, "5_0", started_on("n1"), "");
    CHECK(jobs.on_status_file(noon + seconds(5), "5_0", exited("n1", 137), "last words").empty());
    CHECK(jobs.query_due() == noon + seconds(5));

    auto news =
        jobs.on_queue(noon + seconds(6), noon + seconds(6), queue("5_0|" + each.word + "|None|n1|t-1\n"));
    REQUIRE(news.size() == 1);
    CHECK(news[0].cause == each.cause);
    CHECK(news[0].log == "last words");
    CHECK(news[0].signal == 9);
  }
}

TEST_CASE("where Slurm knows no more, the signal itself is told") {
  SlurmJobs jobs = array_of(2);
  jobs.on_status_file(noon, "5_0", exited("n1", 139), "");
  jobs.on_status_file(noon, "5_1", exited("n1", 139), "");

  auto news =
      jobs.on_queue(noon + seconds(1), noon + seconds(1), queue("5_0|FAILED|NonZeroExitCode|n1|t-1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].signal == 11);
  CHECK(news[0].cause == cause::none);

  CHECK(jobs.on_timer(noon + seconds(59)).empty());
  CHECK(jobs.timer_due() == noon + seconds(60));
  CHECK(jobs.on_timer(noon + seconds(60)).size() == 1);
}

TEST_CASE("what Slurm has written into the log needs no query") {
  SlurmJobs jobs = array_of(1);
  auto news = jobs.on_status_file(
      noon, "5_0", exited("n1", 143),
      "slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***\n");

  REQUIRE(news.size() == 2);
  CHECK(news[1].cause == cause::time_limit);
  CHECK_FALSE(jobs.query_due());
}

TEST_CASE("a job whose agent was lost may say in its log why it is being ended") {
  SlurmJobs jobs = array_of(2);
  jobs.on_status_file(noon, "5_0", started_on("n1"), "");
  jobs.on_status_file(noon, "5_1", started_on("n1", 1), "");
  std::string log = "slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 ***\n";

  CHECK(jobs.on_log(noon, "5_0", "all is well").empty());
  auto news = jobs.on_log(noon, "5_0", log);
  REQUIRE(news.size() == 1);
  CHECK(news[0].cause == cause::job_cancelled);
  CHECK(news[0].reason == "CANCELLED");
  // The log of a job that was put back may tell of the time before.
  CHECK(jobs.on_log(noon, "5_1", log).empty());
}

TEST_CASE("a job that does not come is asked about, and its reason told once") {
  SlurmJobs jobs = array_of(3);
  CHECK(jobs.query_due() == noon + seconds(5));
  auto lines = queue("5_[0-2]|PENDING|Priority||t-1\n");

  auto news = jobs.on_queue(noon + seconds(5), noon + seconds(5), lines);
  REQUIRE(news.size() == 3);
  CHECK(news[0].state == JobState::pending);
  CHECK(news[0].reason == "Priority");
  CHECK_FALSE(news[0].stuck);
  CHECK(jobs.query_due() == noon + minutes(1));
  CHECK(jobs.on_queue(noon + minutes(2), noon + minutes(2), lines).empty());
  news = jobs.on_queue(noon + minutes(5), noon + minutes(5), queue("5_[0-2]|PENDING|Resources||t-1\n"));
  CHECK(news.size() == 3);
}

TEST_CASE("a job that waits for somebody is told as that, and waits on") {
  SlurmJobs jobs = array_of(2);

  auto news =
      jobs.on_queue(noon + seconds(5), noon + seconds(5), queue("5_[0-1]|PENDING|PartitionDown||t-1\n"));

  REQUIRE(news.size() == 2);
  CHECK(news[0].state == JobState::pending);
  CHECK(news[0].stuck);
  CHECK(news[0].message ==
        "it waits in the queue: PartitionDown, its partition is down; name another slurm.partition");
  CHECK(jobs.query_due() == noon + minutes(1));
  CHECK(jobs.on_status_file(noon + minutes(3), "5_0", started_on("n1"), "").size() == 1);
}

TEST_CASE("a job that can never start is given up, with what to change") {
  SlurmJobs jobs = array_of(1);
  auto line = queue("5_[0]|PENDING|PartitionTimeLimit||t-1\n");

  auto news = jobs.on_queue(noon + seconds(5), noon + seconds(5), line);

  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::failed);
  CHECK(news[0].cause == cause::cannot_start);
  CHECK(news[0].message.find("PartitionTimeLimit, it asks for more time") != std::string::npos);
  CHECK(news[0].message.find("slurm.time") != std::string::npos);
  CHECK(jobs.find("5_0")->fate.is_given_up());
  // It is followed until it has been cancelled, and told no more of.
  CHECK(jobs.live().size() == 1);
  CHECK(jobs.on_queue(noon + minutes(1), noon + minutes(1), line).empty());
  jobs.on_cancelling("5_0");
  news = jobs.on_cancelled(noon + minutes(1), "5_0");
  REQUIRE(news.size() == 1);
  CHECK(news[0].cause == cause::cannot_start);
  CHECK(news[0].reason == "PartitionTimeLimit");
  CHECK(jobs.live().empty());
}

TEST_CASE("why a job was given up stays what is told of it, though it begins before it is cancelled") {
  SlurmJobs jobs = array_of(1);
  jobs.on_queue(noon + seconds(5), noon + seconds(5), queue("5_[0]|PENDING|PartitionTimeLimit||t-1\n"));
  jobs.on_cancelling("5_0");

  CHECK(jobs.on_status_file(noon + seconds(6), "5_0", started_on("n1"), "").empty());
  SlurmTime later = noon + seconds(7);
  CHECK(jobs.on_queue(later, later, queue("5_0|SUSPENDED|None|n1|t-1\n")).empty());
  CHECK(jobs.on_queue(later, later, queue("5_0|RUNNING|None|n1|t-1\n")).empty());
  CHECK(jobs.report_of("5_0")->cause == cause::cannot_start);

  auto news = jobs.on_cancelled(noon + seconds(8), "5_0");
  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::failed);
  CHECK(news[0].cause == cause::cannot_start);
  CHECK(news[0].reason == "PartitionTimeLimit");
}

TEST_CASE("a reason that tenkai does not know is told as Slurm says it") {
  SlurmJobs jobs = array_of(1);

  auto news = jobs.on_queue(noon + seconds(5), noon + seconds(5), queue("5_[0]|PENDING|MoonIsFull||t-1\n"));

  REQUIRE(news.size() == 1);
  CHECK(news[0].message == "it waits in the queue: MoonIsFull");
  CHECK_FALSE(news[0].stuck);
}

TEST_CASE("a job that runs and tells nothing is told by Slurm") {
  SlurmJobs jobs = array_of(1);
  auto news = jobs.on_queue(noon + minutes(1), noon + minutes(1), queue("5_0|RUNNING|None|n3|t-1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].where == "n3");

  news = jobs.on_queue(noon + minutes(2), noon + minutes(2), queue("5_0|COMPLETED|None|n3|t-1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::ended);
  CHECK(news[0].exit_code == 0);
}

TEST_CASE("a job that made room for another may have been put back: Slurm knows") {
  std::string log =
      "slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION ***\n";
  SlurmJobs jobs = array_of(2);
  jobs.on_status_file(noon, "5_0", started_on("n1"), "");
  jobs.on_status_file(noon, "5_1", started_on("n1"), "");
  CHECK(jobs.on_log(noon + seconds(9), "5_0", log).empty());
  CHECK(jobs.on_status_file(noon + seconds(10), "5_1", exited("n1", 143), log).empty());

  auto news = jobs.on_queue(noon + seconds(11), noon + seconds(11),
                            queue("5_0|PENDING|BeginTime||t-1\n5_1|PREEMPTED|None|n1|t-1\n"));

  REQUIRE(news.size() == 2);
  CHECK(news[0].state == JobState::pending);
  CHECK(news[0].cause == cause::preempted);
  CHECK(news[1].state == JobState::ended);
  CHECK(news[1].cause == cause::preempted);
}

TEST_CASE("a job that is put back waits again, and may run again") {
  SlurmJobs jobs = array_of(1);
  jobs.on_status_file(noon, "5_0", started_on("n1"), "");
  jobs.on_status_file(noon + seconds(10), "5_0", exited("n1", 143), "");

  auto news = jobs.on_queue(noon + seconds(11), noon + seconds(11), queue("5_0|PENDING|BeginTime||t-1\n"));
  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::pending);
  CHECK(news[0].cause == cause::requeued);
  CHECK(news[0].message.find("put back") != std::string::npos);
  CHECK(jobs.on_timer(noon + minutes(5)).empty());
  CHECK(jobs.query_due() == noon + seconds(71));

  news = jobs.on_status_file(noon + seconds(60), "5_0", started_on("n2", 1), "");
  REQUIRE(news.size() == 1);
  CHECK(news[0].where == "n2");
}

TEST_CASE("an answer from before a job began to run does not put it back") {
  SlurmJobs jobs = array_of(1);
  jobs.on_status_file(noon + seconds(60), "5_0", started_on("n1"), "");

  CHECK(jobs.on_queue(noon + seconds(59), noon + seconds(61), queue("5_0|PENDING|Priority||t-1\n")).empty());
  CHECK(jobs.find("5_0")->phase == SlurmJob::Phase::running);
}

TEST_CASE("what we have cancelled was cancelled by nobody else") {
  SlurmJobs jobs = array_of(2);
  jobs.on_cancelling("5_0");
  jobs.on_cancelling("5_1");
  auto news = jobs.on_status_file(noon, "5_0", exited("n1", 143), "");
  CHECK(news.back().cause == cause::cancelled);

  news = jobs.on_cancelled(noon, "5_1");
  REQUIRE(news.size() == 1);
  CHECK(news[0].cause == cause::cancelled);
}

TEST_CASE("a word that Slurm has learnt since concludes nothing") {
  SlurmJobs jobs = array_of(1);

  CHECK(jobs.on_queue(noon + minutes(1), noon + minutes(1), queue("5_0|TELEPORTING|None||t-1\n")).empty());
  CHECK(jobs.live().size() == 1);
  CHECK(jobs.report_of("5_0")->message.find("TELEPORTING") != std::string::npos);
}

TEST_CASE("a job that was submitted twice is found") {
  SlurmJobs jobs = array_of(1);
  auto lines = queue(
      "5_0|RUNNING|None|n1|t-1\n6_[0]|PENDING|None||t-1\n7|RUNNING|None|n1|other\n8_0|FAILED|x|n|t-1\n");

  CHECK(jobs.strays(lines) == std::vector<SubmittedJob>{{"6", ""}});
}

TEST_CASE("a job that is suspended is told as that, asked about on, and goes on") {
  SlurmJobs jobs = array_of(1);
  jobs.on_status_file(noon, "5_0", started_on("n1"), "");
  jobs.on_suspicion(noon + minutes(5), "5_0");

  auto news = jobs.on_queue(noon + minutes(5), noon + minutes(5), queue("5_0|SUSPENDED|None|n1|t-1\n"));

  REQUIRE(news.size() == 1);
  CHECK(news[0].state == JobState::starting);
  CHECK(news[0].suspended);
  CHECK(news[0].message.find("suspended") != std::string::npos);
  CHECK(jobs.report_of("5_0")->suspended);
  REQUIRE(jobs.query_due());
  SlurmTime later = *jobs.query_due();
  CHECK(jobs.on_queue(later, later, queue("5_0|SUSPENDED|None|n1|t-1\n")).empty());
  CHECK(jobs.query_due());

  news = jobs.on_queue(later + minutes(1), later + minutes(1), queue("5_0|RUNNING|None|n1|t-1\n"));
  REQUIRE(news.size() == 1);
  CHECK_FALSE(news[0].suspended);
  CHECK(news[0].message.empty());
}
