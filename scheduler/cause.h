// Why a daemon is gone, and whether what it ran should be tried again.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "scheduler/size.h"

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
    limit,     // of processor time or of the size of a file: SIGXCPU, SIGXFSZ
    quit,      // the process ended by itself in the middle of a task
    // It went on purpose (idletime, walltime, maxtasks, goodbye): a task that
    // crossed it on the way never started, is requeued and counts no attempt.
    goodbye,
  };
  Kind kind = Kind::lost;
  // For people, without the daemon's name: "was killed by signal 9 (SIGKILL)".
  std::string text;
  std::string log = {};  // the last lines that its R has written, if any
};

// The text, and the last lines of the log.
std::string in_full(const Cause& cause);
// The same of one that may have gone on purpose: "daemon 1" and this are a sentence.
std::string how_it_left(const Cause& cause);

// The word for a kind in `retries` and in messages: "killed", "oom", …
std::string_view name_of(Cause::Kind kind);
// A kind that a user can ask retries for: all but goodbye, which is always repeated.
std::optional<Cause::Kind> kind_named(std::string_view name);

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
  Factors factors;  // the next attempt has more memory after oom, more time after time_limit
  std::set<Cause::Kind> exclude_node;  // after these the daemons to come are kept off the node

  // At least 0.
  int allowed(Cause::Kind kind) const;
  // Whether a task that has seen these deaths, the latest of them by `latest`,
  // gets another attempt. A kind with an exception, or of the task's own doing, is
  // counted by itself; the others share `outside`.
  bool permit(const Deaths& deaths, Cause::Kind latest) const;
  // Whether another attempt after this has more of something.
  bool escalates(Cause::Kind kind) const;
  // What a task needs that has died so on a daemon of this size; nothing where that
  // would be beyond max_steps.
  std::optional<Size> need_after(Cause::Kind kind, Size died_on) const;
};

// "2", "2,oom=1", "oom=1,lost=0": the form in which R sends `retries`. Behind a name may
// stand what changes with the next attempt, and then the number may be left out:
// "2,oom=2:mem=x2,time_limit=1:time=x1.5,node_fail=:exclude_node".
// Refuses negative numbers, numbers above 1000, unknown words, repetitions and what
// would never happen, naming them.
Result<Retries> parse_retries(std::string_view text);

}  // namespace tenkai
