#include "plugins/slurm/submission.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;
using What = Submission::What;

namespace {

SlurmOutcome said(const std::string& output) {
  SlurmOutcome outcome;
  outcome.exit_code = 0;
  outcome.output = output;
  return outcome;
}

SlurmOutcome refused(const std::string& errors) {
  SlurmOutcome outcome;
  outcome.exit_code = 1;
  outcome.errors = errors;
  return outcome;
}

SlurmOutcome silent() {
  SlurmOutcome outcome;
  outcome.timed_out = true;
  return outcome;
}

const std::string busy =
    "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)";

// A Slurm that takes so many jobs, in arrays of so many, and how often it was asked.
int submit_to(Submission& submission, std::size_t room, std::size_t max_array) {
  int calls = 0;
  for (int id = 1; calls < 100;) {
    What what = submission.next().what;
    if (what == What::done || what == What::failed) return calls;
    if (what != What::submit) continue;
    ++calls;
    std::size_t size = submission.batch().agents;
    if (size > max_array) {
      submission.on_submitted(
          refused("sbatch: error: Batch job submission failed: Invalid job array specification"));
    } else if (size > room) {
      submission.on_submitted(refused(busy));
    } else {
      room -= size;
      submission.on_submitted(said(std::to_string(id++)));
    }
  }
  return calls;
}

}  // namespace

TEST_CASE("agents become one array") {
  Submission submission("tenkai-gpu-ab-1", 64, 1000, "");

  CHECK(submission.next().what == What::submit);
  CHECK(submission.array() == "0-63");
  CHECK(submission.batch() == Batch{0, 64, "tenkai-gpu-ab-1"});
  submission.on_submitted(said("77\n"));
  CHECK(submission.next().what == What::done);
  REQUIRE(submission.taken().size() == 1);
  CHECK(submission.taken()[0].job.id == "77");
}

TEST_CASE("2,500 agents become three arrays with names of their own") {
  Submission submission("t", 2500, 1000, "");
  submission.on_submitted(said("1"));
  CHECK(submission.batch() == Batch{1000, 1000, "tr1000"});
  submission.on_submitted(said("2"));
  CHECK(submission.batch() == Batch{2000, 500, "tr2000"});
  CHECK(submission.array() == "0-499");
  submission.on_submitted(said("3"));

  CHECK(submission.next().what == What::done);
  CHECK(submission.taken().size() == 3);
}

TEST_CASE("an array that is too large for the site is halved") {
  Submission submission("t", 64, 1000, "");
  submission.on_submitted(
      refused("sbatch: error: Batch job submission failed: Invalid job array specification"));
  CHECK(submission.array() == "0-31");
  submission.on_submitted(said("1"));
  CHECK(submission.batch() == Batch{32, 32, "tr32"});
  CHECK(submission.elements() == 32);

  Submission single("t", 1, 1000, "");
  single.on_submitted(refused("sbatch: error: Batch job submission failed: Invalid job array specification"));
  CHECK(single.next().what == What::failed);
  CHECK(single.failure().cause == cause::submit_refused);
}

TEST_CASE("one job with ranks is no array") {
  Submission submission("t", 2500, 0, "");

  CHECK(submission.array().empty());
  CHECK(submission.batch().agents == 2500);
  submission.on_submitted(said("1"));
  CHECK(submission.next().what == What::done);
}

TEST_CASE("a limit that passes is waited for, three times at most") {
  Submission submission("t", 1, 1000, "");
  for (int i = 0; i < 2; ++i) {
    submission.on_submitted(refused(busy));
    Submission::Step step = submission.next();
    CHECK(step.what == What::wait);
    CHECK(step.pause.count() >= 5);
    CHECK(submission.next().what == What::submit);
  }
  submission.on_submitted(refused(busy));

  CHECK(submission.next().what == What::failed);
  CHECK(submission.failure().cause == cause::submit_limit);
  CHECK(submission.failure().message.find("violates accounting") != std::string::npos);
}

TEST_CASE("what Slurm refuses is told in its words, and not tried again") {
  Submission submission("t", 1, 1000, "");
  submission.on_submitted(
      refused("sbatch: error: invalid partition specified: no\nsbatch: error: Batch job submission "
              "failed: Invalid partition name specified\n"));

  CHECK(submission.next().what == What::failed);
  CHECK(submission.failure().cause == cause::submit_refused);
  CHECK(submission.failure().message ==
        "sbatch refused the job: invalid partition specified: no; Batch job submission failed: Invalid "
        "partition name "
        "specified");
}

TEST_CASE("a controller that cannot be reached is told as that") {
  Submission submission("t", 1, 1000, "");
  SlurmOutcome outcome = refused(
      "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)");
  for (int i = 0; i < 3; ++i) {
    (void)submission.next();
    submission.on_submitted(outcome);
  }

  CHECK(submission.next().what == What::failed);
  CHECK(submission.failure().cause == cause::slurm_unreachable);
}

TEST_CASE("a job of which nobody knows whether it was taken is looked for first") {
  for (const SlurmOutcome& outcome :
       {silent(),
        refused("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"),
        said("no id here"), said("5\n42\n")}) {
    Submission submission("t", 1, 1000, "");
    submission.on_submitted(outcome);
    CHECK(submission.next().what == What::look_up);
    CHECK(submission.is_in_doubt());
    submission.on_looked_up(true, SubmittedJob{"5", ""});
    CHECK(submission.next().what == What::done);
    CHECK_FALSE(submission.is_in_doubt());
    CHECK(submission.taken()[0].job.id == "5");
  }
}

TEST_CASE("it is submitted again only where Slurm has said that there is none") {
  Submission submission("t", 1, 1000, "");
  submission.on_submitted(silent());
  for (int i = 0; i < 2; ++i) {
    submission.on_looked_up(true, std::nullopt);
    CHECK(submission.next().what == What::wait);
    CHECK(submission.next().what == What::look_up);
  }
  submission.on_looked_up(true, std::nullopt);
  CHECK(submission.next().what == What::submit);

  submission.on_submitted(silent());
  for (int i = 0; i < 3; ++i) {
    (void)submission.next();
    submission.on_looked_up(false, std::nullopt);
  }
  CHECK(submission.next().what == What::failed);
  CHECK(submission.failure().cause == cause::slurm_unreachable);
  CHECK(submission.is_in_doubt());
}

TEST_CASE("a missing sbatch is told, and that this is a compute node") {
  SlurmOutcome outcome;
  outcome.missing = true;
  Submission submission("t", 1, 1000, "4711");
  submission.on_submitted(outcome);

  CHECK(submission.failure().cause == cause::command_missing);
  CHECK(submission.failure().message.find("job 4711") != std::string::npos);

  Submission denied("t", 1, 1000, "4711");
  denied.on_submitted(refused("sbatch: error: Batch job submission failed: Access/permission denied"));
  CHECK(denied.failure().cause == cause::submit_refused);
  CHECK(denied.failure().message.find("compute nodes") != std::string::npos);
}

TEST_CASE("what a limit of jobs has room for is taken, and stays when the rest is refused") {
  Submission submission("t", 8, 1000, "");

  CHECK(submit_to(submission, 5, 7) <= 5);

  CHECK(submission.next().what == What::failed);
  CHECK(submission.agents_taken() == 5);
  CHECK(submission.failure().cause == cause::submit_limit);
  CHECK(submission.failure().message.find("violates accounting/QOS policy") != std::string::npos);
}

TEST_CASE("as many are taken as there is room for, with few calls of sbatch") {
  for (std::size_t agents : {1, 2, 3, 7, 64, 1000, 2500}) {
    for (std::size_t room : {0, 1, 2, 5, 40, 63, 64, 999, 1500, 3000}) {
      Submission submission("t", agents, 1000, "");
      int calls = submit_to(submission, room, 600);
      CAPTURE(agents, room, calls);
      CHECK(submission.agents_taken() == std::min(agents, room));
      CHECK(calls <= 20);
    }
  }
}

TEST_CASE("room that comes while a limit is waited for is used") {
  Submission submission("t", 8, 1000, "");
  for (std::size_t size : {8, 4, 2, 1}) {
    CHECK(submission.next().what == What::submit);
    CHECK(submission.batch().agents == size);
    submission.on_submitted(refused(busy));
  }
  CHECK(submission.next().what == What::wait);

  CHECK(submit_to(submission, 8, 1000) == 2);
  CHECK(submission.next().what == What::done);
}

TEST_CASE("what a policy forbids that names no number of jobs is not asked for in smaller pieces") {
  Submission submission("t", 8, 1000, "");
  submission.on_submitted(refused("sbatch: error: QOSMaxWallDurationPerJobLimit\n" + busy));
  CHECK(submission.failure().cause == cause::submit_refused);

  Submission number("t", 8, 1000, "");
  number.on_submitted(refused("sbatch: error: AssocMaxSubmitJobLimit\n" + busy));
  CHECK(number.batch().agents == 4);
}

TEST_CASE("where sbatch asked a full controller until its time was over, fewer are asked for") {
  Submission submission("t", 8, 1000, "");
  SlurmOutcome outcome = silent();
  outcome.errors = "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying";
  submission.on_submitted(outcome);
  for (int i = 0; i < 3; ++i) {
    (void)submission.next();
    submission.on_looked_up(true, std::nullopt);
  }

  CHECK(submission.next().what == What::submit);
  CHECK(submission.batch().agents == 4);
  CHECK_FALSE(submission.is_in_doubt());
}

TEST_CASE("whatever a later batch fails of, what was taken stays") {
  Submission submission("t", 2000, 1000, "");
  submission.on_submitted(said("7"));
  submission.on_submitted(refused("sbatch: error: Batch job submission failed: Invalid account"));

  CHECK(submission.next().what == What::failed);
  CHECK(submission.failure().cause == cause::submit_refused);
  CHECK(submission.agents_taken() == 1000);
}
