// The everywhere()s of all sessions: kept for daemons that join later, with the tasks that the
// values of daemons answer. Pure. What is due for a daemon, Dispatcher::feed() says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error_code.h"
#include "scheduler/dispatcher_action.h"
#include "scheduler/tasks.h"

namespace tenkai {

// Which tasks the values of an everywhere() answer: `count` of them, from `first` on.
// Each daemon that is here has one of them, in the order of their slots. If there are fewer
// than `minimum`, the next ones are for daemons that join later; what is left resolves to
// reset at once, and so does that of a daemon that goes before it has answered.
struct Wanted {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t minimum = 0;
};

// For tasks that no daemon will answer.
void refuse(SessionId session, const Wanted& tasks, const std::string& reason, Sends& sends);

class Everywheres {
 public:
  struct Everywhere {
    std::uint64_t sequence;  // where it stands among the tasks
    SessionId session;
    Payload payload;
    std::set<std::size_t> told = {};  // the slots of which a failure was told: it comes at each start
    std::map<DaemonId, std::uint64_t> awaited = {};  // tasks that the values of these daemons answer
    // ... and that those of daemons do which join later: from `next` up to `end`.
    std::uint64_t next = 0;
    std::uint64_t end = 0;

    // What stands for it where a task has its key.
    TaskKey key() const { return {session, everywhere_bit | sequence}; }
  };
  // A daemon that is gone.
  struct Gone {
    DaemonId id = 0;
    std::string name;
    std::optional<TaskKey> running;
  };

  // `here`: the daemons that run it now, in the order of their slots.
  void add(Everywhere made, const Wanted& wanted, const std::vector<DaemonId>& here, Sends& sends);
  void close(SessionId session);
  void on_joined(DaemonId daemon);
  // `how` it left: "was killed by signal 9".
  void on_left(const Gone& gone, Code code, const std::string& how, Sends& sends);
  // `value` lacks its key alone.
  void on_answer(const TaskKey& everywhere, DaemonId daemon, Resolve value, Sends& sends);
  // Tells the session, once for each slot; nothing of a session that has left.
  void on_failed(const TaskKey& everywhere, std::size_t slot, std::string text, Sends& sends);
  // No daemon joins any more.
  void give_up(const std::string& reason, Sends& sends);

  // The first one after this number; null: there is none.
  const Everywhere* after(std::uint64_t sequence) const;
  // A session that waits for values of daemons that have yet to join.
  std::optional<SessionId> waiting() const;
  // Bytes of payload held.
  std::uint64_t memory() const { return memory_; }

 private:
  Everywhere* find(const TaskKey& key);

  std::map<std::uint64_t, Everywhere> all_;  // by sequence
  std::uint64_t memory_ = 0;
};

}  // namespace tenkai
