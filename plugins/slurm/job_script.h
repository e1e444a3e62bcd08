// The script that is submitted, and the arguments of sbatch beside it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/messages.h"
#include "launcher/plugin/slurm_variables.h"
#include "launcher/profile/options.h"
#include "launcher/template/template.h"
#include "plugins/slurm/submission.h"

namespace tenkai::slurm {

// Where Slurm keeps the job tag, by which a session knows its jobs: `slurm.job-tag`. A site
// may want to give the names itself.
enum class TagPlace { name, comment };
TagPlace tag_place_of(const LaunchRequest& request);
// "tenkai-gpu-4f1c2b-7": nobody else's job has it.
std::string job_tag_of(const LaunchRequest& request);

// Whether it is one job over several nodes, whose ranks are the agents.
bool has_ranks(const LaunchRequest& request);

// Whether its command is a session, which launches daemons of its own in the job:
// `slurm.run`.
bool is_run(const LaunchRequest& request);
// Whether it is one job, and no array.
inline bool is_one_job(const LaunchRequest& request) { return has_ranks(request) || is_run(request); }

// Whether its options are keys with values that these take. Options of sbatch among them must be
// such as a user may say.
Result<Done> check_options(const LaunchRequest& request);

// What the template is told of this batch. `folder` is where status files and logs go; empty,
// in a dry run, where there is none yet.
TemplateValues script_values(const LaunchRequest& request, const Batch& batch, const std::string& array,
                             const std::string& folder);

// "a100:1", twice as many: "a100:2".
std::string times_gpus(const std::string& gpus, std::size_t factor);

// The argv of sbatch for a script that was rendered. What it says of itself counts more
// than the script, so that a template cannot make us lose sight of the job. Refuses
// options with which nothing could be followed.
Result<std::vector<std::string>> sbatch_argv(const LaunchRequest& request, const Batch& batch,
                                             const std::string& array, const JobScript& script,
                                             const std::vector<std::string>& excluded,
                                             const std::string& path,
                                             const std::vector<SiteOption>& site = {});

// The clusters that sbatch is told, by the script or else by the site: "alpha,beta"; empty:
// that of this machine.
std::string clusters_of(const JobScript& script, const std::vector<SiteOption>& site);

// Where its logs are: the folder that a profile names, else one in that of the session;
// empty: nowhere yet.
std::string logs_of(const LaunchRequest& request, const std::string& folder);
// The file for its output, as sbatch writes it: "/home/me/logs/%A_%a.log".
std::string log_of(const LaunchRequest& request, const std::string& folder);

// A command for a shell that submits the script; to be pasted.
std::string paste_text(const std::vector<std::string>& argv, const std::string& script);

}  // namespace tenkai::slurm
