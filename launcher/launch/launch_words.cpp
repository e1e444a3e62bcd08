#include "launcher/launch/launch_words.h"

#include <algorithm>
#include <vector>

#include "base/lines.h"
#include "base/text.h"
#include "launcher/view/slot_list.h"

namespace tenkai {
namespace {

FailureCause cause_in(const Launch& launch) {
  bool is_part = launch.state() == LaunchState::joined && !launch.given_up().empty();
  return is_part ? launch.why_given_up().cause : launch.failure().cause;
}

// What of a job's end is a cause of a death, too.
std::optional<Cause::Kind> kind_for(FailureCause cause) {
  switch (cause) {
    case cause::oom: return Cause::Kind::oom;
    case cause::time_limit: return Cause::Kind::time_limit;
    case cause::node_fail: return Cause::Kind::node_fail;
    case cause::preempted: return Cause::Kind::preempted;
    case cause::job_cancelled: return Cause::Kind::job_cancelled;
    case cause::none:
    case cause::auth_refused:
    case cause::host_key:
    case cause::unknown_host:
    case cause::unreachable:
    case cause::rscript_missing:
    case cause::package_missing:
    case cause::program_missing:
    case cause::version:
    case cause::url_unreachable:
    case cause::tunnel_port:
    case cause::refused:
    case cause::command_missing:
    case cause::submit_refused:
    case cause::submit_limit:
    case cause::cannot_start:
    case cause::spawn_refused:
    case cause::slurm_unreachable:
    case cause::module_missing:
    case cause::requeued:
    case cause::folder_missing:
    case cause::exited:
    case cause::killed:
    case cause::plugin:
    case cause::cancelled:
    case cause::unknown: break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Cause> cause_of_end(const JobReport& report) {
  // The reason of a job that was requeued is why it waits.
  bool is_back = report.state == JobState::pending;
  if (is_back && report.cause == cause::none) return std::nullopt;
  std::string why = report.reason.empty() || is_back ? report.message : report.reason;
  if (std::optional<Cause::Kind> kind = kind_for(report.cause)) return Cause{*kind, "was killed: " + why};
  if (report.cause == cause::requeued) return Cause{Cause::Kind::lost, "was killed: " + report.message};
  if (report.signal)
    return Cause{Cause::Kind::killed, "was killed by signal " + std::to_string(*report.signal)};
  if (report.state == JobState::failed || report.exit_code.value_or(0) != 0) {
    return Cause{Cause::Kind::killed, why.empty() ? "has ended with its job" : "was killed: " + why};
  }
  return std::nullopt;
}

std::string daemons_of(const Launch& launch) {
  std::vector<std::size_t> numbers;
  for (std::size_t slot : launch.slots()) numbers.push_back(slot + 1);
  return daemons_in_words(numbers);
}

std::string stuck_text(const std::vector<const Launch*>& launches, const std::string& plugin) {
  const Launch& first = *launches.front();
  std::string text = "launch " + std::to_string(first.number()) + " (" + daemons_of(first) + ", by " +
                     plugin + (first.job().empty() ? "" : ", job " + printable(first.job(), 60)) +
                     ") may never begin: " + first.detail();
  std::size_t others = launches.size() - 1;
  if (others == 0) return text;
  return text + "\n" + std::to_string(others) +
         (others == 1 ? " other launch waits" : " other launches wait") +
         " for the same; status() shows them";
}

std::string given_up_text(const Launch& launch, const std::string& plugin) {
  std::vector<std::size_t> numbers;
  for (std::size_t slot : launch.given_up()) numbers.push_back(slot + 1);
  std::sort(numbers.begin(), numbers.end());
  std::string where = launch.where().empty() ? "" : ", " + printable(launch.where(), 100);
  return daemons_in_words(numbers) + " (launch " + std::to_string(launch.number()) + ", by " + plugin +
         where + (numbers.size() == 1 ? ") is" : ") are") +
         " not started again: " + launch.why_given_up().message +
         "\nThe others of this launch go on; when that is mended, launch_remote() brings another";
}

std::string status_line(const Launch& launch, const std::string& plugin) {
  std::vector<std::string> slots;
  for (std::size_t slot : launch.slots()) slots.push_back(std::to_string(slot + 1));
  const JobReport& last = launch.evidence();
  std::string code = last.exit_code ? std::to_string(*last.exit_code) : "";
  std::string signal = last.signal ? std::to_string(*last.signal) : "";
  // The last columns are its evidence: its job, the batch system's word, how its command ended, and what
  // it wrote last.
  return row_of({"launch", std::to_string(launch.number()), join(slots, ","), plugin, launch.where(),
                 name_of(launch.state()), name_of(cause_in(launch)), launch.detail(), launch.job(),
                 last.reason, code, signal, redacted(last.log)});
}

}  // namespace tenkai
