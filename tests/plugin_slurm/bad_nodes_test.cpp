#include "plugins/slurm/slurm_jobs.h"

#include <chrono>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;
using std::chrono::minutes;

TEST_CASE("a node that fails launches is left out, where others do better") {
  SlurmJobs jobs = array_of(4);
  StatusFile no_r = parse_status_file("started bad 0\nfailed rscript Rscript\nexit 127\n");
  jobs.on_status_file(noon, "5_0", started_on("good"), "");
  jobs.on_status_file(noon, "5_1", no_r, "");
  CHECK(jobs.bad_nodes().excluded().empty());
  auto news = jobs.on_status_file(noon, "5_2", no_r, "");

  CHECK(jobs.bad_nodes().excluded() == std::vector<std::string>{"bad"});
  CHECK(news.back().note.find("node bad has failed 2 launches") != std::string::npos);
}

TEST_CASE("where all nodes fail, none is left out") {
  SlurmJobs jobs = array_of(6);
  for (int i = 0; i < 6; ++i) {
    std::string node = i % 2 == 0 ? "n1" : "n2";
    jobs.on_status_file(noon, "5_" + std::to_string(i),
                        parse_status_file("started " + node + " 0\nfailed module R\nexit 1\n"), "");
  }

  CHECK(jobs.bad_nodes().excluded().empty());
}

TEST_CASE("a node that Slurm itself has lost twice is left out") {
  SlurmJobs jobs = array_of(2);
  jobs.on_queue(noon + minutes(1), noon + minutes(1),
                queue("5_0|NODE_FAIL|None|n9|t-1\n5_1|NODE_FAIL|None|n9|t-1\n"));

  CHECK(jobs.bad_nodes().excluded() == std::vector<std::string>{"n9"});
}
