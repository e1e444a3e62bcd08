// What the dispatcher asks to be done.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error_code.h"
#include "base/frame.h"
#include "scheduler/tasks.h"

namespace tenkai {

// Send a task to a daemon. An everywhere() is no task of the session (key.task has
// everywhere_bit): the daemon runs the expression, keeps its effects, and answers it
// too. Elements that it has not begun after `patience` it may give back.
struct Assign {
  DaemonId daemon;
  TaskKey key;
  std::uint32_t attempt;
  TaskKind kind;
  Payload payload;
  std::string label;
  std::optional<std::chrono::milliseconds> patience = {};

  bool is_everywhere() const { return kind == TaskKind::everywhere; }
};
// What the elements that come next share; the daemon keeps it until the next of these.
struct Share {
  DaemonId daemon;
  TaskKey map;  // of the first element of the map
  Payload payload;
};
// Give a session the one answer to a task, or to `count` elements of a map from that one
// on: a payload (of elements a parcel of as many values or more), or a code and its reason.
struct Resolve {
  TaskKey key;
  Code code;
  std::string reason;
  Payload payload;
  bool failed;  // the payload is an error value
  Usage usage = {};
  std::uint64_t count = 0;  // 0: no element of a map
  // What the task was sent with. Let go after the answer has gone out: freeing a
  // large block takes a good part of the time that copying it takes.
  Payload spent = {};
};
// Interrupt what the daemon runs; it will still answer (or die).
struct Interrupt {
  DaemonId daemon;
  TaskKey key;
  std::uint32_t attempt;
};
// End the daemon by force: it was interrupted and did not obey.
struct Kill {
  DaemonId daemon;
};
// The time of the daemon's job is nearly over: take what it runs away from it, end it,
// and say that it has left, by Cause::Kind::time_limit.
struct HandBack {
  DaemonId daemon;
};
// The daemon's last answer has been taken and there is nothing more for it now.
struct Acknowledge {
  DaemonId daemon;
};
// The daemon has done what it was started for (ephemeral), or has no time for more: say
// goodbye.
struct Dismiss {
  DaemonId daemon;
};
// Start one R process (ephemeral).
struct StartLocal {};
// Tell the user of a session.
struct Tell {
  SessionId session;
  std::string text;
};

using Send =
    std::variant<Assign, Share, Resolve, Interrupt, Kill, HandBack, Acknowledge, Dismiss, StartLocal, Tell>;
using Sends = std::vector<Send>;

}  // namespace tenkai
