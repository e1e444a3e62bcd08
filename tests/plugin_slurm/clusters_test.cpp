// Jobs at another cluster than that of this machine: what is asked, and cancelled, there.
#include <string>
#include <vector>

#include "launcher/plugin/slurm_variables.h"
#include "plugins/slurm/cancel_calls.h"
#include "plugins/slurm/job_script.h"
#include "plugins/slurm/queue_poller.h"
#include "plugins/slurm/submission.h"
#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;
using Words = std::vector<std::string>;

namespace {

Submission submission_to(const std::string& clusters) {
  Submission submission("t-1", 1, 1000, "");
  submission.set_clusters(clusters);
  return submission;
}

SlurmOutcome timed_out() {
  SlurmOutcome outcome;
  outcome.timed_out = true;
  return outcome;
}

}  // namespace

TEST_CASE("the clusters of a launch are those of its script, else those of its site") {
  std::vector<SiteOption> site = site_options_in({"SLURM_CLUSTERS=c2"});

  CHECK(clusters_of({"", {}}, {}) == "");
  CHECK(clusters_of({"", {"--time=5"}}, site) == "c2");
  CHECK(clusters_of({"", {"-M", "c3"}}, site) == "c3");
  CHECK(clusters_of({"", {"--clusters=c3,c4"}}, site) == "c3,c4");
}

TEST_CASE("a job that is found, and one that is told without its cluster, is where it was asked for") {
  SECTION("found") {
    Submission submission = submission_to("c2");
    submission.on_submitted(timed_out());
    submission.on_looked_up(true, SubmittedJob{"5", ""});
    CHECK(submission.taken().front().job == SubmittedJob{"5", "c2"});
  }
  SECTION("found at one of several") {
    Submission submission = submission_to("c2,c3");
    submission.on_submitted(timed_out());
    submission.on_looked_up(true, SubmittedJob{"5", "c3"});
    CHECK(submission.taken().front().job == SubmittedJob{"5", "c3"});
  }
  SECTION("told") {
    Submission submission = submission_to("c2");
    SlurmOutcome told;
    told.exit_code = 0;
    told.output = "5\n";
    submission.on_submitted(told);
    CHECK(submission.taken().front().job == SubmittedJob{"5", "c2"});
  }
}

TEST_CASE("each cluster of jobs and of look-ups is asked once") {
  CHECK(all_clusters({"", "c2", "c3,c2", ""}) == Words{"c2", "c3"});
  CHECK(all_clusters({""}).empty());
}

TEST_CASE("squeue tells the cluster of each job, where it was asked about several") {
  auto lines = queue("CLUSTER: c2\n5|RUNNING|None|n1|t-1\n\nCLUSTER: c3\n6|RUNNING|None|n1|t-2\n");

  REQUIRE(lines.size() == 2);
  CHECK(lines[0].cluster == "c2");
  CHECK(lines[1].cluster == "c3");
}

TEST_CASE("a job that was submitted twice is cancelled where it is") {
  SlurmJobs jobs;
  JobPlace place = place_of("5", 0);
  place.cluster = "c2";
  jobs.add(noon, place, false);

  CHECK(jobs.strays(queue("6|PENDING|Priority||t-1\n")) == std::vector<SubmittedJob>{{"6", "c2"}});
  CHECK(jobs.strays(queue("CLUSTER: c3\n6|PENDING|Priority||t-1\n")) ==
        std::vector<SubmittedJob>{{"6", "c3"}});
}

TEST_CASE("a job of which nobody knows whether it was taken is cancelled by its name, at its clusters") {
  Words argv = cancel_by_name("t-1", "c2,c3");

  CHECK(argv.front() == "scancel");
  CHECK(argv[2] == "--name=t-1");
  CHECK(argv.back() == "--clusters=c2,c3");
  CHECK(cancel_by_name("t-1", "").back() == "--name=t-1");
}
