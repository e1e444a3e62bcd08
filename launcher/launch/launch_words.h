// What people and status() are told of launches.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/launch/launch.h"
#include "scheduler/cause.h"

namespace tenkai {

// "daemon 3", "daemons 1-4"
std::string daemons_of(const Launch& launch);

// The line of a launch in the reply to `status`, with its line end: number, slots,
// plugin, host, state, cause and message; then its job, the batch system's word, exit
// code, signal and the last lines of its log, as far as they are known.
std::string status_line(const Launch& launch, const std::string& plugin);

// What to tell of launches that wait for the same thing, which does not pass by itself.
std::string stuck_text(const std::vector<const Launch*>& launches, const std::string& plugin);

// What to tell of daemons that have not come, or will not come again, where others of the
// launch have.
std::string given_up_text(const Launch& launch, const std::string& plugin);

// What ended the daemons of a job that had come, in the words of the tasks' causes;
// none: it has ended well.
std::optional<Cause> cause_of_end(const JobReport& report);

}  // namespace tenkai
