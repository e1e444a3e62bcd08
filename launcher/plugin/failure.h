// Why a launch has not brought a daemon: a cause, with its evidence.
//
// What a plugin knows for certain it says itself. Where all there is is how the
// command ended and what it wrote last, the cause is read from that; what cannot be
// told is `unknown` or `exited`, because a wrong cause is worse than none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenkai {

// The causes; docs/plugins.md lists their words, which scripts compare.
enum class FailureCause : std::uint8_t {
  none,               // not told: judge by what else is known
  auth_refused,       // the host does not let us in
  host_key,           // it is not known, or has changed
  unknown_host,       // no address for its name
  unreachable,        // no route, refused, silent
  rscript_missing,    // no Rscript there
  package_missing,    // no package tenkai there
  program_missing,    // no program tenkai there
  version,            // another version of tenkai there
  url_unreachable,    // from there to us
  tunnel_port,        // the port of the tunnel is taken there
  refused,            // we did not let it in
  command_missing,    // of the launcher, on this machine
  submit_refused,     // the batch system says no
  submit_limit,       // ... no to so many jobs
  cannot_start,       // as it is, the job can never start
  spawn_refused,      // MPI says no
  slurm_unreachable,  // it does not answer
  module_missing,     // the environment of R, or a part of it
  time_limit,         // of the job
  oom,                // the job ran out of memory
  node_fail,          // the job's node has failed
  preempted,          // the job made room for another
  job_cancelled,      // by somebody else
  requeued,           // the job waits again
  folder_missing,     // of the session, on the node
  exited,             // with a code, for whatever reason
  killed,             // by a signal
  plugin,             // the plugin itself has failed
  cancelled,
  unknown,
};
// For reading: cause::oom.
namespace cause {
using enum FailureCause;
}  // namespace cause

// The word for a cause; none has an empty one.
std::string_view name_of(FailureCause cause);
// The cause with this word, if there is one.
std::optional<FailureCause> cause_named(std::string_view word);

struct Failure {
  FailureCause cause = cause::none;
  std::string message;  // a sentence: what was tried, on what, why not, what to do

  bool operator==(const Failure&) const = default;
};

// How a launched command ended before its daemons had joined.
struct CommandEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string log;      // its last lines
  std::string where;    // the host; empty: not known
  std::string rscript;  // what was to run R
};
Failure judge(const CommandEnd& end);

// How a worker of another program ended (`tenkai carry`); `rscript` is the program of its command.
Failure judge_worker(const CommandEnd& end);

// How the last R of one daemon ended, which its agent does not start again: so many of
// them in a row before they were ready; 0: it was ready, and had nothing done.
Failure judge_r(const CommandEnd& end, std::uint64_t starts);

// Begins why bringing tenkai along did not help: in a message, and in a line of a job's log, whose
// message repeats it.
inline constexpr std::string_view not_brought_along = "it could not be brought along: ";

// What a command has written, without any credential that it was given and repeats.
std::string redacted(std::string text);

}  // namespace tenkai
