// Shell code for job scripts, from the values that templates get: how a job tells of
// itself, and the environment that a profile asks for. Every value in it is quoted.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "launcher/template/template.h"

namespace tenkai {

// The function `asked_end_of_job` for any shell: asks Slurm, for 5 s at most, when this job
// ends, and says it in seconds since 1970; fails where that is not to be had.
std::string_view asked_end_of_job();

// The functions `write_status`, `fail` and `run` for bash, and what is said at the end. For
// `launch.status-file`; needs `launch.folder`.
Result<std::string> status_file_script(const TemplateValues& values);

// What comes behind it in templates that were written for the version before, when
// `write_status` was called `beacon`. Both together are for `launch.beacons`.
std::string_view old_status_names();

// What `environment.*` and `threads` ask for, the prologue included, and whether R is
// there. For `launch.environment`; calls `write_status` and `fail`.
Result<std::string> environment_script(const TemplateValues& values);
// The command that starts an agent, as the array `agent`. For `launch.agent`; takes what
// the environment has set.
std::string agent_script(const TemplateValues& values);

// `values` with both of them.
Result<TemplateValues> with_shell_code(TemplateValues values);

}  // namespace tenkai
