// One of the daemons behind an agent: what its R is doing, as the agent sees it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/frame.h"
#include "process/r_processes.h"
#include "process/restarts.h"
#include "wire/connection.h"

namespace tenkai {

struct Rank {
  // What its daemon does: an R runs, or did a moment ago; one is to be started; there will be none.
  enum class Life { alive, to_be_started, over };

  // Which run of which task.
  struct Attempt {
    std::uint64_t session = 0;
    std::uint64_t task = 0;
    std::uint32_t attempt = 0;
    bool operator==(const Attempt&) const = default;
  };
  static Attempt attempt_of(const Frame& frame) { return {frame.session, frame.task, frame.attempt}; }

  std::uint32_t number = 0;
  Life life = Life::to_be_started;
  std::string url;
  std::string instance;         // of its R, which said it in HELLO
  std::string log;              // a file; empty: none
  std::uint64_t log_begin = 0;  // where the running task's part of it begins
  std::optional<pid_t> pid;
  ConnectionPtr stream;       // to its R; null before it has one
  bool up = false;            // its R has greeted
  bool accepted = false;      // ... and the dispatcher has let it in
  bool said_goodbye = false;  // it goes on purpose
  std::optional<Attempt> running;
  // An answer that may not have arrived: kept until ACK or the next task.
  std::optional<Frame> held;
  // A task that came while the R was still at one that is given up.
  std::optional<Frame> next;
  // A cancellation that has overtaken its task's payload.
  std::optional<Attempt> cancelled;
  // LEFT of the R before this one, told again after each reconnection: the first
  // one may have been lost with the connection.
  std::optional<Frame> left;
  // LEFT that says that no R is started here any more, told again as well.
  std::optional<Frame> given_up;
  // How its process ended, while the last words in its stream are awaited.
  std::optional<REnd> ended;
  std::size_t starts = 0;
  // Starts in a row that did not get as far as greeting.
  int failed_starts = 0;
  bool refused = false;  // its R is of another version: the next would be no other
  bool worked = false;   // this R was given a task
  Restarts restarts;
  std::optional<Restarts::Time> up_since;

  // What the dispatcher should know after a reconnection.
  std::optional<Attempt> holds() const {
    if (running) return running;
    if (held) return attempt_of(*held);
    return std::nullopt;
  }
};

// Whether there is nothing left to do for an agent that has these.
bool all_are_over(const std::vector<Rank>& ranks);
// One of them cannot start, for a reason that holds for all: no other is started, unless one
// is up, which shows that they can start.
void give_up_unless_up(std::vector<Rank>& ranks);
// Gives up those that are still to be started: there is no time for them.
void give_up_starts(std::vector<Rank>& ranks);

}  // namespace tenkai
