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

// The words for causes: scripts compare them, docs/plugins.md lists them.
namespace cause {
inline constexpr std::string_view auth_refused = "auth_refused";        // the host does not let us in
inline constexpr std::string_view host_key = "host_key";                // it is not known, or has changed
inline constexpr std::string_view unknown_host = "unknown_host";        // no address for its name
inline constexpr std::string_view unreachable = "unreachable";          // no route, refused, silent
inline constexpr std::string_view rscript_missing = "rscript_missing";  // no Rscript there
inline constexpr std::string_view package_missing = "package_missing";  // no package tenkai there
inline constexpr std::string_view program_missing = "program_missing";  // no program tenkai there
inline constexpr std::string_view version = "version";                  // another version of tenkai there
inline constexpr std::string_view url_unreachable = "url_unreachable";  // from there to us
inline constexpr std::string_view tunnel_port = "tunnel_port";  // the port of the tunnel is taken there
inline constexpr std::string_view refused = "refused";          // we did not let it in
inline constexpr std::string_view command_missing = "command_missing";  // of the launcher, on this machine
inline constexpr std::string_view submit_refused = "submit_refused";    // the batch system says no
inline constexpr std::string_view submit_limit = "submit_limit";        // ... no to so many jobs
inline constexpr std::string_view cannot_start = "cannot_start";        // as it is, the job can never start
inline constexpr std::string_view spawn_refused = "spawn_refused";      // MPI says no
inline constexpr std::string_view slurm_unreachable = "slurm_unreachable";  // it does not answer
inline constexpr std::string_view module_missing = "module_missing";  // the environment of R, or a part of it
inline constexpr std::string_view time_limit = "time_limit";          // of the job
inline constexpr std::string_view oom = "oom";                        // the job ran out of memory
inline constexpr std::string_view node_fail = "node_fail";            // the job's node has failed
inline constexpr std::string_view preempted = "preempted";            // the job made room for another
inline constexpr std::string_view job_cancelled = "job_cancelled";    // by somebody else
inline constexpr std::string_view requeued = "requeued";              // the job waits again
inline constexpr std::string_view folder_missing = "folder_missing";  // of the session, on the node
inline constexpr std::string_view exited = "exited";                  // with a code, for whatever reason
inline constexpr std::string_view killed = "killed";                  // by a signal
inline constexpr std::string_view plugin = "plugin";                  // the plugin itself has failed
inline constexpr std::string_view cancelled = "cancelled";
inline constexpr std::string_view unknown = "unknown";
}  // namespace cause

struct Failure {
  std::string cause;
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

// How the last R of one daemon ended, which its agent does not start again: so many of
// them in a row before they were ready; 0: it was ready, and had nothing done.
Failure judge_r(const CommandEnd& end, std::uint64_t starts);

// What a command has written, without any credential that it was given and repeats.
std::string redacted(std::string text);

}  // namespace tenkai
