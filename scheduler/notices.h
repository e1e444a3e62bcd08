// What the users of sessions are told without having asked, of tasks that wait or are tried
// again: each thing once. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "scheduler/absence.h"
#include "scheduler/cause.h"
#include "scheduler/dispatcher_action.h"
#include "scheduler/prospects.h"
#include "scheduler/room.h"
#include "scheduler/rules.h"
#include "scheduler/size.h"
#include "scheduler/tasks.h"

namespace tenkai {

class Notices {
 public:
  using Duration = std::chrono::milliseconds;

  explicit Notices(const Rules& rules) : absence_(rules.policy, rules.patience) {}

  // A daemon has joined, which has so long for tasks; nullopt: without end.
  void on_joined(std::optional<Duration> room);
  // The last daemon has left that slot (from 0).
  void on_left(std::size_t slot, const Cause& cause) { absence_.on_left(slot, cause); }
  void on_prospects(Prospects prospects) { absence_.on_prospects(std::move(prospects)); }
  // Daemons are launched as there is work, and will have so long; nullopt: that is not known.
  void on_scaled(std::optional<Duration> room) { room_.on_scaled(room); }
  // A task was submitted that may take so long, as its user says.
  void on_request(Duration request) { room_.on_request(request); }
  void on_nothing_waits() { absence_.on_nothing_waits(); }

  // Something waits, and no daemon is here. `usual`: a session for whose tasks one as large as
  // usual would do, and who is told; for others the launcher is looking.
  void on_waiting(Time now, std::optional<SessionId> usual, Sends& sends);
  // Whether on_waiting() may have something to tell now that it had not before.
  bool may_tell(Time now) const { return absence_.may_tell(now); }
  void on_told() { absence_.on_told(); }
  // Whether what waits is given up now: then why.
  std::optional<std::string> take_end(Time now) { return absence_.take_end(now); }
  std::optional<Time> next_timer() const { return absence_.next_timer(); }

  // Whether a task that waits and asks for so long may ask for more than daemons have, which is
  // quick to see; and that it does, and none that is here has as long.
  bool may_be_too_long() const { return room_.may_be_short(); }
  bool is_too_long(Duration request) const { return room_.is_short_for(request); }
  void on_too_long(SessionId session, Duration request, Sends& sends);

  // A task is tried again with more, because of this; it can happen to thousands.
  void on_escalated(SessionId session, const std::string& daemon, const Cause& cause, const Factors& factors,
                    Sends& sends);

 private:
  Absence absence_;
  Room room_;
  std::set<Cause::Kind> told_escalations_;
};

}  // namespace tenkai
