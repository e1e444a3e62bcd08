#include "launcher/plugin/slurm_variables.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;

namespace {

using Words = std::vector<std::string>;

const std::vector<std::string_view> login = {
    "HOME=/home/me",      "SBATCH_PARTITION=main",   "SBATCH_ACCOUNT=proj", "SLURM_CLUSTERS=big",
    "SBATCH_EXPORT=NONE", "SBATCH_OUTPUT=/dev/null", "SBATCH_ARRAY_INX=0",  "SBATCH_WAIT=1",
    "SBATCH_JOB_NAME=x",  "SBATCH_ERROR=e",          "SQUEUE_FORMAT=%A",    "SLURM_CPU_BIND=none"};

}  // namespace

TEST_CASE("what a site says for all of its users on a login node is kept, and nothing that breaks a launch") {
  CHECK(words_beside(site_options_in(login), {}) ==
        Words{"--account=proj", "--partition=main", "--clusters=big"});
}

TEST_CASE("what a script says counts more than what a site does") {
  std::vector<SiteOption> options = site_options_in(login);

  CHECK(words_beside(options, {"--partition=gpu", "-A", "other"}) == Words{"--clusters=big"});
  CHECK(words_beside(options, {"--partition", "gpu", "-Aother", "-Mx"}).empty());
  CHECK(words_beside(options, {"--partitions=x", "-P"}).size() == 3);
}

TEST_CASE("in a job such variables are the job's, and none is kept") {
  std::vector<std::string_view> inside = login;
  inside.push_back("SLURM_JOB_ID=12");

  CHECK(site_options_in(inside).empty());
}

TEST_CASE("of what excludes each other one is kept") {
  std::vector<SiteOption> memory = site_options_in({"SBATCH_MEM_PER_CPU=1G", "SBATCH_MEM_PER_NODE=2G"});

  CHECK(words_beside(memory, {}) == Words{"--mem=2G"});
  CHECK(words_beside(memory, {"--mem-per-gpu=1G"}).empty());
  CHECK(words_beside(site_options_in({"SLURM_CLUSTERS=a", "SBATCH_CLUSTERS=b"}), {}) ==
        Words{"--clusters=b"});
}

TEST_CASE("a variable without a value is none, but of an option that needs none") {
  CHECK(words_beside(site_options_in({"SBATCH_PARTITION=", "SBATCH_EXCLUSIVE="}), {}) ==
        Words{"--exclusive"});
  CHECK(words_beside(site_options_in({"SBATCH_EXCLUSIVE=user", "SBATCH_ACCOUNT=a\x1b", "SBATCH_QOS"}), {}) ==
        Words{"--exclusive=user"});
}

TEST_CASE("variables of another job are not for Slurm's programs") {
  for (const char* name : {"SLURM_CPU_BIND", "SBATCH_PARTITION", "SQUEUE_FORMAT", "SACCT_FORMAT", "PMI_RANK",
                           "PMIX_RANK", "SLURM_JOB_ID"}) {
    CHECK(is_of_slurm(name));
  }
  for (const char* name : {"SLURM_CONF", "PATH", "HOME", "PMIC", "MY_SLURM_X"})
    CHECK_FALSE(is_of_slurm(name));
}
