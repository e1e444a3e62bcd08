// everywhere(), as the dispatcher takes it: what becomes of its values, scheduler/everywheres says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/shared_blocks.h"
#include "scheduler/dispatcher.h"

namespace tenkai {

Sends Dispatcher::on_everywhere(Time now, SessionId session, Payload payload, Wanted wanted) {
  now_ = now;
  Sends sends;
  if (!tasks_.knows(session)) return sends;
  std::uint64_t size = size_with_files(payload);
  std::string refusal = refusal_of(size);
  if (rules_.policy == Policy::ephemeral) {
    refusal = "there are no daemons; each task has a fresh R process of its own";
  } else if (size > rules_.memory_limit - std::min(rules_.memory_limit, everywheres_.memory())) {
    refusal = "its " + std::to_string(size) + " bytes and the " + std::to_string(everywheres_.memory()) +
              " bytes of earlier ones, kept for daemons that join later, exceed the memory limit of " +
              std::to_string(rules_.memory_limit) + " bytes";
  }
  if (!refusal.empty()) {
    sends.emplace_back(Tell{session, "everywhere() was not run: " + refusal});
    refuse(session, wanted, "it was not run: " + refusal, sends);
    return sends;
  }
  std::vector<DaemonId> here;
  for (std::size_t slot = 0; slot < slots_.size() && here.size() < wanted.count; ++slot) {
    if (slots_[slot].online && !find(daemon_at_[slot])->leaving) here.push_back(daemon_at_[slot]);
  }
  everywheres_.add({next_sequence_++, session, std::move(payload)}, wanted, here, sends);
  peak_memory_ = std::max(peak_memory_, memory());
  // The others get it when they have answered, or are heard again.
  std::set<std::size_t> free = free_;
  for (std::size_t slot : free) feed(*find(daemon_at_[slot]), sends);
  if (everywheres_.waiting()) notice_what_waits(sends);
  return sends;
}

void Dispatcher::fail_everywheres(const Daemon& gone, Code code, const std::string& how, Sends& sends) {
  std::optional<TaskKey> running;
  if (gone.running) running = gone.running->key;
  everywheres_.on_left({gone.id, name_of(gone), running}, code, how, sends);
}

}  // namespace tenkai
