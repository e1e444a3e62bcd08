// What a session wants of its dispatcher.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "scheduler/cause.h"

namespace tenkai {

// How tasks find daemons.
enum class Policy {
  queue,      // one queue; a task goes to a daemon that is free
  open,       // the same for any number of daemons, which all connect at one URL
  direct,     // each task is given to a daemon at once, in turn, and waits there
  ephemeral,  // one fresh R for each task
};

// Whether each daemon has a place, with a URL of its own, which is known before it comes.
// Otherwise any number of them connects at one.
constexpr bool has_slots(Policy policy) { return policy == Policy::queue; }

struct Rules {
  Policy policy = Policy::queue;
  Retries retries;
  // Bytes of payload of unresolved tasks and of everywhere() that may be held.
  // A submission beyond it, unless it is the only task, resolves to out_of_memory;
  // an everywhere() beyond it is refused. Sessions are told the number and wait, or
  // raise an error, so it only happens to broken ones.
  std::uint64_t memory_limit = UINT64_MAX;
  // Ephemeral: how many R processes there may be at a time.
  std::size_t max_ephemeral = 64;
  // How long tasks wait when no daemon is here and none can come; then they resolve to
  // reset. Nothing: for ever.
  std::optional<std::chrono::milliseconds> patience;
  // After a cancellation that the daemon has not obeyed for this long, it is ended.
  std::optional<std::chrono::milliseconds> kill_after;
};

}  // namespace tenkai
