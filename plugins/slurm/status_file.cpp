#include "plugins/slurm/status_file.h"

#include <utility>

#include "base/text.h"

namespace tenkai::slurm {
namespace {

// "first rest of it"
std::pair<std::string_view, std::string_view> word_and_rest(std::string_view line) {
  std::size_t blank = line.find(' ');
  if (blank == line.npos) return {line, {}};
  return {line.substr(0, blank), trim(line.substr(blank + 1))};
}

Failure failure_of(std::string_view kind, std::string_view what) {
  std::string shown = printable(what);
  if (kind == "rscript") {
    return {cause::rscript_missing,
            "'" + (shown.empty() ? "Rscript" : shown) +
                "' was not found: the profile's environment.modules (or conda, spack) brings it, or "
                "environment.rscript says where it is"};
  }
  if (kind == "package") {
    return {cause::package_missing, "the R package tenkai is not installed there"};
  }
  std::string of = kind == "module" ? "the module " : printable(kind) + " ";
  return {cause::module_missing, "the environment could not be set up: " + of + "'" + shown +
                                     "' failed; see the log of the job, and `environment` of the profile"};
}

void read_line(std::string_view line, StatusFile& into) {
  auto [word, rest] = word_and_rest(trim(line));
  if (word == "started") {
    auto [node, restart] = word_and_rest(rest);
    into = StatusFile{};
    into.started = true;
    into.node = printable(node, 100);
    into.restart = to_number<unsigned>(restart).value_or(0);
  } else if (word == "prologue") {
    into.prologue = true;
  } else if (word == "ready") {
    into.ready = true;
  } else if (word == "rscript") {
    into.rscript = std::string(rest);
  } else if (word == "bringing" || word == "brought") {
    into.bringing = word == "bringing";
  } else if (word == "failed") {
    auto [kind, what] = word_and_rest(rest);
    // What went wrong first is why the rest did.
    if (!into.failure) into.failure = failure_of(kind, what);
  } else if (word == "exit") {
    std::optional<int> code = to_number<int>(rest);
    if (code && *code >= 0 && *code <= 255) into.exit_code = code;
  }
}

bool has(std::string_view text, std::string_view piece) { return text.find(piece) != text.npos; }

}  // namespace

StatusFile parse_status_file(std::string_view text) {
  StatusFile status_file;
  for (std::size_t end; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
    read_line(text.substr(0, end), status_file);
  }
  return status_file;
}

StatusFile with_job(StatusFile rank, const StatusFile& job) {
  if (!rank.started || rank.restart < job.restart) return job;
  rank.exit_code = job.exit_code;
  rank.exit_is_shared = true;
  if (!rank.failure) rank.failure = job.failure;
  return rank;
}

std::optional<SlurmNote> slurm_note(std::string_view log) {
  for (std::string_view line : split(log, '\n')) {
    // "slurmstepd: error: ", or, where several of them serve one machine, "slurmstepd-n1: error: ".
    if (!has(line, "slurmstepd") || !has(line, ": error: ")) continue;
    auto note = [&](FailureCause cause, std::string word, const std::string& what) {
      return SlurmNote{std::move(word), {cause, what + ": " + printable(trim(line))}};
    };
    if (has(line, "oom-kill event") || has(line, "oom_kill event"))
      return note(cause::oom, "OUT_OF_MEMORY", "it ran out of its memory; slurm.mem asks for more");
    // A line about a step may be about one that a task has started: that is nothing to us.
    if (!has(line, "*** JOB ") || !has(line, " CANCELLED AT ")) continue;
    if (has(line, "DUE TO TIME LIMIT"))
      return note(cause::time_limit, "TIMEOUT", "its time limit has come; slurm.time asks for more");
    if (has(line, "DUE TO PREEMPTION"))
      return note(cause::preempted, "PREEMPTED", "it had to make room for another job");
    if (has(line, "DUE TO NODE FAILURE")) return note(cause::node_fail, "NODE_FAIL", "its node has failed");
    // A job that is requeued is cancelled, too: "DUE TO JOB REQUEUE".
    if (!has(line, "DUE TO")) return note(cause::job_cancelled, "CANCELLED", "somebody has cancelled it");
  }
  return std::nullopt;
}

}  // namespace tenkai::slurm
