// Why a daemon is gone, and whether what it ran should be tried again.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenkai {

struct Cause {
  enum class Kind : std::uint8_t {
    // Not the task's doing: tried again.
    killed = 1,  // ended by a signal from outside (SIGKILL, SIGTERM, SIGHUP, SIGINT)
    lost,        // the connection broke or fell silent and did not come back in time
    preempted,
    node_fail,
    time_limit,
    job_cancelled,
    // The task's own doing: it would happen again, not tried unless asked.
    oom,
    segfault,  // SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP
    quit,      // the process ended by itself in the middle of a task
    // It went on purpose (idletime, walltime, maxtasks, goodbye): a task that
    // crossed it on the way never started, is put back and counts no attempt.
    goodbye,
  };
  Kind kind = Kind::lost;
  // For people, without the daemon's name: "was killed by signal 9 (SIGKILL)".
  std::string text;
};

// The word for a kind in `retries` and in messages: "killed", "oom", …
std::string_view name_of(Cause::Kind kind);

// Whether the cause came from outside, so that another attempt may well succeed.
bool is_from_outside(Cause::Kind kind);

// The kind of a process's end, from waitpid(): exactly one of the two counts.
Cause cause_of_exit(int exit_code);
// `out_of_memory`: the kernel's counter for our memory group went up meanwhile.
// It makes a SIGKILL an oom; other signals have causes of their own.
Cause cause_of_signal(int signal, bool out_of_memory);

// How many attempts of one task have ended with their daemon, and how.
class Deaths {
 public:
  void add(Cause::Kind kind);
  int of(Cause::Kind kind) const;
  int total() const;

 private:
  std::array<std::uint16_t, 16> counts_{};
};

// How often an attempt that ended with its daemon is followed by another.
struct Retries {
  int outside = 2;                     // for the kinds that are not the task's doing
  std::map<Cause::Kind, int> by_kind;  // exceptions

  // At least 0.
  int allowed(Cause::Kind kind) const;
  // Whether a task that has seen these deaths, the latest of them by `latest`,
  // gets another attempt. A kind with an exception, or of the task's own doing, is
  // counted by itself; the others share `outside`.
  bool permit(const Deaths& deaths, Cause::Kind latest) const;
};

// "2", "2,oom=1", "oom=1,lost=0": the form in which R sends `retries`.
// Refuses negative numbers, numbers above 1000, unknown words and repetitions,
// naming them.
Result<Retries> parse_retries(std::string_view text);

}  // namespace tenkai
