#include "plugins/slurm/job_end.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "base/text.h"
#include "launcher/plugin/failure.h"

namespace tenkai::slurm {
namespace {

JobReport ended(const std::string& job, const StatusFile& status) {
  JobReport report;
  report.job = job;
  report.state = JobState::ended;
  report.where = status.node;
  if (!status.exit_code || (status.exit_is_shared && status.exit_code != 0)) return report;
  report.signal = signal_in(*status.exit_code);
  if (!report.signal) report.exit_code = status.exit_code;
  return report;
}

void set_failure(JobReport& report, FailureCause cause, std::string message) {
  report.cause = cause;
  report.message = std::move(message);
}

std::string job_on(const JobReport& report) {
  return "job " + report.job + (report.where.empty() ? "" : " on " + report.where);
}

// "CANCELLED by 1000"
std::string by_whom(const JobLine& line) {
  std::size_t at = line.word.find(" by ");
  return at == line.word.npos ? std::string() : " by user " + printable(line.word.substr(at + 4), 40);
}

std::string in_words(const JobLine& line) {
  return " (" + printable(line.word, 60) + (line.reason.empty() ? "" : ", " + printable(line.reason, 100)) +
         ")";
}

// How far the job had come.
std::string last_sign(const StatusFile& status) {
  if (!status.started) return "it was submitted";
  std::string on = status.node.empty() ? "" : " on " + status.node;
  if (!status.rscript.empty()) return "R was found" + on;
  return (status.ready ? "its environment was set up" : "it was started") + on;
}

// What the job has told itself: what could not be set up, or, of one that was not killed,
// that its prologue has not come back.
void add_own_failure(JobReport& report, const StatusFile& status, bool ended_well) {
  if (report.cause != cause::none) return;
  if (status.failure && !ended_well) {
    set_failure(report, status.failure->cause, job_on(report) + ": " + status.failure->message);
  } else if (status.prologue && !status.ready && !report.signal) {
    set_failure(report, cause::module_missing,
                job_on(report) +
                    ": environment.prologue has ended the job's script before R was started; take out of it "
                    "what ends a shell (exit, exec, a failure after set -e)");
  }
}

// slurmd could not open the log, and has run nothing: 53 in place of a signal, and this word.
bool could_not_begin(const JobLine& line, const StatusFile& status) {
  return !status.started && (line.reason == "JobLaunchFailure" || line.signal == 53 ||
                             line.reason.starts_with("RaisedSignal:53"));
}

// slurmd of Slurm 24.11 makes the folder of the log on the node where it is missing: the job
// runs, and fails, where nobody sees what it tells.
bool was_not_seen(const JobLine& line, const StatusFile& status) {
  return !status.started && line.reason == "NonZeroExitCode";
}

void tell_failed(JobReport& report, const JobLine& line, const StatusFile& status) {
  if (could_not_begin(line, status)) {
    return set_failure(
        report, cause::folder_missing,
        "Slurm could not begin " + job_on(report) + in_words(line) + ", and nothing was written there");
  }
  if (was_not_seen(line, status)) {
    return set_failure(report, cause::folder_missing,
                       job_on(report) + " has failed" + in_words(line) + ", and nothing of it was seen here");
  }
  if (!report.exit_code && !report.signal) {
    report.signal = line.signal;
    if (!line.signal) report.exit_code = line.exit_code;
  }
  report.message = "Slurm says that " + job_on(report) + " has failed" + in_words(line) +
                   "; last sign: " + last_sign(status);
}

}  // namespace

std::optional<int> signal_in(int exit_code) {
  static constexpr std::array fatal{SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGABRT, SIGBUS, SIGFPE,
                                    SIGKILL, SIGSEGV, SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ};
  int signal = exit_code - 128;
  if (std::find(fatal.begin(), fatal.end(), signal) == fatal.end()) return std::nullopt;
  return signal;
}

JobReport told_end(const std::string& job, const StatusFile& status, const std::string& log) {
  JobReport report = ended(job, status);
  add_own_failure(report, status, status.exit_code == 0);
  add_log(report, log, status.restart == 0);
  return report;
}

JobReport slurm_end(const std::string& job, const JobLine& line, const StatusFile& status) {
  JobReport report = ended(job, status);
  if (report.where.empty()) report.where = first_node(line.nodes);
  report.reason = printable(line.word, 60);
  const std::string which = job_on(report);
  switch (line.state) {
    case SlurmState::time_limit:
      set_failure(report, cause::time_limit,
                  which + " has run into its time limit" + in_words(line) + "; slurm.time asks for more");
      break;
    case SlurmState::out_of_memory:
      set_failure(report, cause::oom,
                  which + " ran out of memory" + in_words(line) + "; slurm.mem asks for more");
      break;
    case SlurmState::node_fail:
      set_failure(report, cause::node_fail, which + " was lost with its node" + in_words(line));
      break;
    case SlurmState::preempted:
      set_failure(report, cause::preempted, which + " had to make room for another job" + in_words(line));
      break;
    case SlurmState::cancelled:
      set_failure(report, cause::job_cancelled, which + " was cancelled" + by_whom(line) + in_words(line));
      break;
    case SlurmState::failed: tell_failed(report, line, status); break;
    case SlurmState::completed:
    case SlurmState::pending:
    case SlurmState::running:
    case SlurmState::suspended:
    case SlurmState::ending:
    case SlurmState::other:
      if (!report.exit_code && !report.signal) report.exit_code = 0;
  }
  add_own_failure(report, status, report.exit_code == 0);
  return report;
}

std::string folder_advice(const std::string& logs) {
  return ": mostly the node does not see the folder of its log, " + printable(logs, 500) +
         ". Set XDG_CACHE_HOME (or slurm.logs) to a folder that this machine shares with the nodes";
}

JobReport lost_end(const std::string& job, const StatusFile& status) {
  JobReport report = ended(job, status);
  set_failure(
      report, cause::unknown,
      "Slurm does not know " + job_on(report) +
          " any more, and nobody knows how it ended; last sign: " + last_sign(status) +
          (status.started ? "" : ". One whose node does not see the session's folder ends like this"));
  return report;
}

JobReport cancelled_end(const std::string& job, const std::string& node) {
  JobReport report;
  report.job = job;
  report.state = JobState::ended;
  report.where = node;
  set_failure(report, cause::cancelled, job_on(report) + " was cancelled by its session");
  return report;
}

void add_log(JobReport& report, std::string log, bool first_run) {
  bool by_signal = report.signal || (!report.exit_code && report.cause == cause::none);
  std::optional<SlurmNote> note = report.cause == cause::none && first_run ? slurm_note(log) : std::nullopt;
  // An R of its may have run out of memory, and the agent have gone on.
  if (note && (by_signal || note->failure.cause != cause::oom)) {
    set_failure(report, note->failure.cause, job_on(report) + ": " + note->failure.message);
    report.reason = note->word;
  }
  if (report.log.empty()) report.log = std::move(log);
  bool nothing_else = report.cause == cause::none && report.log.empty() && !report.message.empty();
  if (nothing_else) report.cause = cause::unknown;
}

bool may_come_back(FailureCause cause) { return cause == cause::preempted || cause == cause::node_fail; }

std::optional<JobReport> noted_end(const std::string& job, const StatusFile& status, const std::string& log) {
  std::optional<SlurmNote> note = slurm_note(log);
  if (!note || note->failure.cause == cause::oom || status.restart != 0) return std::nullopt;
  if (may_come_back(note->failure.cause)) return std::nullopt;
  JobReport report = ended(job, status);
  set_failure(report, note->failure.cause, job_on(report) + ": " + note->failure.message);
  report.reason = note->word;
  report.log = log;
  return report;
}

}  // namespace tenkai::slurm
