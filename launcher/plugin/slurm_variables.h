// What a site has said for all of its users, in variables of a login node: SBATCH_PARTITION,
// SBATCH_ACCOUNT, SLURM_CLUSTERS. Nothing of ours runs with these in its environment,
// where they would count more than a job script; what is to be kept of them becomes options of
// sbatch, where the script does not say the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tenkai::slurm {

// Whether a variable steers Slurm's programs, or tells of a job: SBATCH_PARTITION,
// SLURM_CPU_BIND, PMI_RANK. Not where Slurm's configuration is, nor by what it knows us.
bool is_of_slurm(std::string_view variable);

struct SiteOption {
  std::string name;   // as sbatch calls it: "partition"
  char letter = 0;    // and in short; 0: it has no such name
  std::string value;  // empty: the option takes none

  bool operator==(const SiteOption&) const = default;
};

// What `variables` ask for, "NAME=value" each. In a job (SLURM_JOB_ID is there) they are of the job, and not
// a site's: there is nothing to keep. Nor is what would change what a launch says itself
// (SBATCH_EXPORT, SBATCH_OUTPUT, SBATCH_ARRAY_INX, …).
std::vector<SiteOption> site_options_in(const std::vector<std::string_view>& variables);
// What our own environment asks for; before leave_own_job() takes it out.
std::vector<SiteOption> own_site_options();

// Those of which the directives of a script say nothing, as words for the command line.
std::vector<std::string> words_beside(const std::vector<SiteOption>& options,
                                      const std::vector<std::string>& directives);

}  // namespace tenkai::slurm
