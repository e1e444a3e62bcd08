// How a job's end is told: its cause and a sentence with the evidence.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "launcher/plugin/messages.h"
#include "plugins/slurm/slurm_text.h"
#include "plugins/slurm/status_file.h"

namespace tenkai::slurm {

// A shell tells the death of a child by a signal as 128 and its number.
std::optional<int> signal_in(int exit_code);

// How a job has ended by its own account; `log` holds its last lines. The cause is empty where
// exit code and log are all there is.
JobReport told_end(const std::string& job, const StatusFile& status, const std::string& log);
// How a job has ended by Slurm's account, together with its own.
JobReport slurm_end(const std::string& job, const JobLine& line, const StatusFile& status);
// What to do where nodes do not see the folder of the logs, for folder_missing.
std::string folder_advice(const std::string& logs);
// The end of a job that Slurm does not know any more.
JobReport lost_end(const std::string& job, const StatusFile& status);
// The end of a job that we have cancelled.
JobReport cancelled_end(const std::string& job, const std::string& node);

// Whether Slurm may requeue a job that was ended for this cause.
bool may_come_back(FailureCause cause);

// The end of a job that has not told it, where Slurm has written into its log that it ends it.
std::optional<JobReport> noted_end(const std::string& job, const StatusFile& status, const std::string& log);

// Completes a report with the log, once that is read: what Slurm has written into it
// counts where nothing else is known. `first_run`: else the log tells of earlier ones, too.
void add_log(JobReport& report, std::string log, bool first_run);

}  // namespace tenkai::slurm
