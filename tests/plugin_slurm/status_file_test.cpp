#include "plugins/slurm/status_file.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

TEST_CASE("a job tells how far it is") {
  StatusFile status_file = parse_status_file("started n7 0\nready\nrscript /usr/bin/Rscript\n");

  CHECK(status_file.started);
  CHECK(status_file.node == "n7");
  CHECK(status_file.ready);
  CHECK(status_file.rscript == "/usr/bin/Rscript");
  CHECK_FALSE(status_file.exit_code);
  CHECK_FALSE(status_file.bringing);
  CHECK(parse_status_file("started n7 0\nbringing\n").bringing);
  CHECK_FALSE(parse_status_file("started n7 0\nbringing\nbrought\n").bringing);
  CHECK(parse_status_file("started n7 0\nexit 3\n").exit_code == 3);
}

TEST_CASE("a line that is not yet whole does not count") {
  CHECK_FALSE(parse_status_file("started n7 0\nexit 1").exit_code);
  CHECK_FALSE(parse_status_file("star").started);
}

TEST_CASE("of a job that was put back its last run counts") {
  StatusFile status_file = parse_status_file("started n7 0\nready\nrscript /x\nexit 143\nstarted n8 1\n");

  CHECK(status_file.node == "n8");
  CHECK(status_file.restart == 1);
  CHECK_FALSE(status_file.ready);
  CHECK_FALSE(status_file.exit_code);
}

TEST_CASE("what a job misses is a cause, and the first is why") {
  CHECK(parse_status_file("started n 0\nfailed module R/9.9\n").failure->cause == cause::module_missing);
  CHECK(parse_status_file("failed rscript Rscript\n").failure->cause == cause::rscript_missing);
  CHECK(parse_status_file("failed package tenkai\n").failure->cause == cause::package_missing);
  CHECK(parse_status_file("failed conda stats\n").failure->cause == cause::module_missing);
  CHECK(parse_status_file("failed module R\nfailed rscript Rscript\n").failure->cause ==
        cause::module_missing);
  CHECK(parse_status_file("failed module R/9.9\n").failure->message.find("'R/9.9'") != std::string::npos);
}

TEST_CASE("strange lines are passed over") {
  StatusFile status_file = parse_status_file("\n \nhello\nexit\nexit x\nexit 999\nexit -1\nstarted\n\xff\n");

  CHECK(status_file.started);
  CHECK_FALSE(status_file.exit_code);
}

TEST_CASE("Slurm's own words in a log are a cause") {
  auto cause_of = [](const std::string& log) {
    auto note = slurm_note(log);
    return note ? note->failure.cause : cause::none;
  };

  CHECK(
      cause_of(
          "x\nslurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***\n") ==
      cause::time_limit);
  CHECK(cause_of("slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 ***") ==
        cause::job_cancelled);
  CHECK(
      cause_of("slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION ***") ==
      cause::preempted);
  CHECK(cause_of("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=5.batch.") == cause::oom);
  CHECK(cause_of(
            "slurmstepd: error: *** JOB 5 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO JOB REQUEUE ***") ==
        cause::none);
  CHECK(cause_of("CANCELLED AT noon ***, said R") == cause::none);
  CHECK(cause_of("") == cause::none);
}

TEST_CASE("Slurm's own words are known where several of its daemons serve one machine") {
  auto note = slurm_note("slurmstepd-n2: error: *** JOB 3 ON n2 CANCELLED AT 2026-01-01T00:00:00 ***\n");

  REQUIRE(note);
  CHECK(note->failure.cause == cause::job_cancelled);
  CHECK_FALSE(slurm_note("error: *** JOB 3 ON n2 CANCELLED AT 2026-01-01T00:00:00 ***\n"));
}
