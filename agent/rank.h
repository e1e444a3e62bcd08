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

namespace tenkai {

struct Rank {
  // What becomes of a daemon, whose R may be one after another:
  //
  //   awaited    its first R is started when a dispatcher has let us in  → starting
  //   starting   an R runs and has not greeted             → up, unfit, gone, paused, over
  //   unfit      ... it is of another version, as the next would be      → over
  //   up         it has greeted; the dispatcher has not let it in yet    → accepted, ...
  //   accepted   the dispatcher has let it in              → leaving, gone, paused, over
  //   leaving    it goes for good: the dispatcher wants it so            → gone, over
  //   gone       it goes for good, and the dispatcher knows              → over
  //   paused     it has ended, and another is started after a pause      → starting, over
  //   over       none is started any more; one may still be on its way out
  enum class State { awaited, starting, unfit, up, accepted, leaving, gone, paused, over };

  // Which run of which task.
  struct Attempt {
    std::uint64_t session = 0;
    std::uint64_t task = 0;
    std::uint32_t attempt = 0;
    bool operator==(const Attempt&) const = default;
  };
  static Attempt attempt_of(const Frame& frame) { return {frame.session, frame.task, frame.attempt}; }

  std::uint32_t number = 0;
  State state = State::awaited;
  std::string url;
  std::string instance;  // of its R, which said it in HELLO
  std::optional<pid_t> pid;
  bool hears = false;  // the stream to its R is open
  std::optional<Attempt> running;
  // An answer that may not have arrived: kept until ACK or the next task.
  std::optional<Frame> held;
  // The same, of an R that has ended since: told before its LEFT, which gives to others what
  // was not answered.
  std::optional<Frame> last_answer;
  // A task that came while the R was still at one that is given up.
  std::optional<Frame> next;
  // A cancellation that has overtaken its task's payload.
  std::optional<Attempt> cancelled;
  bool is_told = false;  // the dispatcher may know this R: JOIN has gone out
  // LEFT of each R that it may know since the last one that was let in, told again after each
  // reconnection: any may have been lost with the connection.
  std::vector<Frame> left;
  // LEFT that says that no R is started here any more, told again as well.
  std::optional<Frame> given_up;
  // How its process ended, while the last words in its stream are awaited.
  std::optional<REnd> ended;
  std::size_t starts = 0;
  // Starts in a row that did not get as far as greeting.
  int failed_starts = 0;
  bool worked = false;  // this R was given a task
  Restarts restarts;
  std::optional<Restarts::Time> up_since;

  // Its R has greeted, and the dispatcher is to think that it is there.
  bool is_up() const { return state == State::up || is_in(); }
  // The dispatcher has let it in.
  bool is_in() const { return state == State::accepted || state == State::leaving; }
  // It has not greeted, or has not been let in.
  bool is_outside() const { return state == State::starting || state == State::unfit || state == State::up; }
  bool goes_for_good() const { return state == State::leaving || state == State::gone; }
  // Whether a frame is about this R; one that names none is.
  bool is_named_in(const Frame& frame) const {
    const std::string* named = frame.find(Key::instance);
    return named == nullptr || *named == instance;
  }
  // The dispatcher knows this R, and so what was told before it.
  void on_joined() {
    left.clear();
    last_answer.reset();
  }
  void on_delivered() {
    held.reset();
    last_answer.reset();
  }
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
// Gives up those that were to be started again: there is no time for them.
void give_up_restarts(std::vector<Rank>& ranks);

// What the dispatcher is told of a rank: its R is there; its job ends soon; its R has ended;
// and no other is started.
Frame join_of(const Rank& rank);
Frame drains_of(const Rank& rank);
Frame left_of(const Rank& rank, const REnd& end);
Frame given_up_of(const Rank& rank, const REnd& end);

}  // namespace tenkai
