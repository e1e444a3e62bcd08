#include "plugins/slurm/job_end.h"

#include "launcher/plugin/failure.h"
#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;

TEST_CASE("a shell's codes for signals are signals, and others are codes") {
  CHECK(signal_in(137) == 9);
  CHECK(signal_in(143) == 15);
  CHECK_FALSE(signal_in(127));
  CHECK_FALSE(signal_in(128));
  CHECK_FALSE(signal_in(255));
}

TEST_CASE("memory that an R of a job ran out of long ago is not why the job ended") {
  std::string log = "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=5.batch.\n";

  CHECK(told_end("5_0", exited("n1", 1), log).cause == cause::none);
  CHECK(told_end("5_0", exited("n1", 137), log).cause == cause::oom);
}

TEST_CASE("a prologue that ends the job is named, however well it ended") {
  std::string begin = "started n1 0\nprologue\n";
  JobReport exited = told_end("5_0", parse_status_file(begin + "exit 0\n"), "");
  CHECK(exited.cause == cause::module_missing);
  CHECK(exited.message.find("environment.prologue has ended") != std::string::npos);
  // One that has become another program tells nothing more: Slurm knows of the end.
  JobReport replaced =
      slurm_end("5_0", parse_queue("5_0|COMPLETED|None|n1|x\n").at(0), parse_status_file(begin));
  CHECK(replaced.cause == cause::module_missing);

  // It was not the prologue's doing that the job was killed, nor what came behind it.
  CHECK(told_end("5_0", parse_status_file(begin + "exit 143\n"), "").cause == cause::none);
  CHECK(told_end("5_0", parse_status_file(begin + "ready\nexit 0\n"), "").cause == cause::none);
}

TEST_CASE("the log of an earlier run is not why the last one ended") {
  std::string log =
      "slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION ***\n";
  StatusFile second = parse_status_file("started n1 1\nexit 3\n");

  JobReport report = told_end("5_0", second, log);
  CHECK(report.cause == cause::none);
  CHECK(report.exit_code == 3);
  CHECK(report.log == log);
}

TEST_CASE("a rank is told the end of its job, and not that of another rank") {
  StatusFile rank = parse_status_file("started n2 0\nready\nrscript /x\n");
  StatusFile good = with_job(rank, parse_status_file("started n1 0\nexit 0\n"));
  StatusFile bad = with_job(rank, parse_status_file("started n1 0\nexit 139\n"));
  CHECK(told_end("5.1", good, "").exit_code == 0);
  CHECK(good.node == "n2");

  JobReport report = told_end("5.1", bad, "");
  CHECK_FALSE(report.exit_code);
  CHECK_FALSE(report.signal);

  // One that never began has what the job has.
  StatusFile none = with_job(StatusFile{}, parse_status_file("started n1 0\nfailed module R/9\nexit 1\n"));
  CHECK(told_end("5.1", none, "").cause == cause::module_missing);
}

TEST_CASE("a job that failed before it could say anything is unknown, with Slurm's words") {
  JobReport report = slurm_end("5_0", parse_queue("5_0|FAILED|SystemFailure|n1|x\n").at(0), {});
  add_log(report, "", true);

  CHECK(report.cause == cause::unknown);
  CHECK(report.message.find("SystemFailure") != std::string::npos);
  CHECK(report.reason == "FAILED");
}

TEST_CASE("a job that could not open its log is told as one whose node does not see the folder") {
  for (const char* reason : {"JobLaunchFailure", "RaisedSignal:53(Real-time_signal_19)"}) {
    JobReport report =
        slurm_end("5_0", parse_queue("5_0|FAILED|" + std::string(reason) + "|n1|x\n").at(0), {});
    CHECK(report.cause == cause::folder_missing);
    CHECK(report.where == "n1");
    CHECK(report.message.find(reason) != std::string::npos);
  }
  JobReport of_database = slurm_end("5_0", parse_accounts("5_0|FAILED|0:53|n1\n").at(0), {});
  CHECK(of_database.cause == cause::folder_missing);
  CHECK(folder_advice("/home/x/logs").find("/home/x/logs") != std::string::npos);

  // One that has begun to write could open it.
  JobReport later =
      slurm_end("5_0", parse_queue("5_0|FAILED|JobLaunchFailure|n1|x\n").at(0), started_on("n1"));
  CHECK(later.cause == cause::none);
}

TEST_CASE("a job that fails where nobody sees what it tells is told as one of such a node") {
  JobReport report = slurm_end("5_0", parse_queue("5_0|FAILED|NonZeroExitCode|n1|x\n").at(0), {});
  CHECK(report.cause == cause::folder_missing);
  CHECK(report.where == "n1");
  CHECK(report.message.find("nothing of it was seen here") != std::string::npos);
}

TEST_CASE("what the job itself has told counts beside Slurm's FAILED") {
  StatusFile status_file = parse_status_file("started n1 0\nfailed rscript Rscript\nexit 127\n");
  JobReport report = slurm_end("5_0", parse_queue("5_0|FAILED|NonZeroExitCode|n1|x\n").at(0), status_file);

  CHECK(report.cause == cause::rscript_missing);
  CHECK(report.exit_code == 127);
}
