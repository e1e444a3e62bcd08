#include "plugins/slurm/steps.h"

#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

namespace {

LaunchRequest request_of(std::size_t daemons, std::size_t chunk, const std::string& nodes) {
  LaunchRequest request;
  request.number = 3;
  request.profile = "cpu";
  request.session = "4f1c2b";
  request.daemons = daemons;
  request.chunk = chunk;
  request.agents = (daemons + chunk - 1) / chunk;
  request.command = {"Rscript", "-e", "x"};
  request.options = {{"slurm.allocation", {"1"}}, {"slurm.nodes", {nodes}}};
  return request;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the node with the fewest processors counts") {
  CHECK(fewest_cpus("4") == 4);
  CHECK(fewest_cpus("4(x2),2") == 2);
  CHECK(fewest_cpus("2,16(x3)") == 2);
  CHECK(fewest_cpus("") == 0);
  CHECK(fewest_cpus("many(x2)") == 0);
  CHECK(fewest_cpus("4,") == 0);
}

TEST_CASE("srun hears of the job, and not how another step was to be made") {
  Allocation found = allocation_in({"SLURM_JOB_ID=123", "SLURM_JOB_NODELIST=n[1-2]", "PATH=/bin",
                                    "SLURM_JOB_CPUS_PER_NODE=4,2", "SLURM_CPU_BIND=map_cpu:0",
                                    "SLURM_NTASKS=8", "SLURM_MEM_PER_CPU=100", "SLURM_STEP_ID=0",
                                    "SLURM_DISTRIBUTION=block", "SLURM_CONF=/etc/slurm.conf"});

  CHECK(found.job == "123");
  CHECK(found.cpus == 2);
  CHECK(found.variables == Allocation::Variables{{"SLURM_JOB_ID", "123"},
                                                 {"SLURM_JOB_NODELIST", "n[1-2]"},
                                                 {"SLURM_JOB_CPUS_PER_NODE", "4,2"}});
}

TEST_CASE("there is no allocation where none is told of") {
  CHECK(allocation_in({"PATH=/bin", "SLURM_CONF=/x"}).job.empty());
  CHECK(allocation_in({"SLURM_JOB_ID=x; rm"}).job.empty());
}

TEST_CASE("a step asks for no more nodes than it has agents") {
  TemplateValues values = step_values(request_of(9, 3, "4"), {"123", 8, {}}, "/f");

  CHECK(values["slurm.nodes"] == Texts{"3"});
  CHECK(values["launch.ntasks"] == Texts{"3"});
  CHECK(values["launch.log"] == Texts{"/f/logs/%j.log"});
}

TEST_CASE("a step asks for no more processors than the smallest node has") {
  CHECK(step_values(request_of(8, 4, "2"), {"123", 2, {}}, "/f")["launch.cpus"] == Texts{"2"});
  CHECK(step_values(request_of(8, 4, "2"), {"123", 6, {}}, "/f")["launch.cpus"] == Texts{"4"});
  CHECK(step_values(request_of(8, 4, "2"), {"123", 0, {}}, "/f")["launch.cpus"] == Texts{"4"});
}
