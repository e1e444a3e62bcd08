// everywhere(): who runs it, and what becomes of its values. What is due for a daemon,
// feed() says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "base/shared_blocks.h"
#include "scheduler/dispatcher.h"

namespace tenkai {
namespace {

// For tasks that no daemon will answer.
void refuse(SessionId session, const Wanted& tasks, const std::string& reason, Sends& sends) {
  for (std::uint64_t i = 0; i < tasks.count; ++i) {
    sends.emplace_back(Resolve{{session, tasks.first + i}, Code::reset, reason, {}, false});
  }
}

}  // namespace

Sends Dispatcher::on_everywhere(Time now, SessionId session, Payload payload, Wanted wanted) {
  now_ = now;
  Sends sends;
  if (!tasks_.knows(session)) return sends;
  std::uint64_t size = size_with_files(payload);
  std::string refusal = refusal_of(size);
  if (rules_.policy == Policy::ephemeral) {
    refusal = "there are no daemons; each task has a fresh R process of its own";
  } else if (size > rules_.memory_limit - std::min(rules_.memory_limit, everywhere_memory_)) {
    refusal = "its " + std::to_string(size) + " bytes and the " + std::to_string(everywhere_memory_) +
              " bytes of earlier ones, kept for daemons that join later, exceed the memory limit of " +
              std::to_string(rules_.memory_limit) + " bytes";
  }
  if (!refusal.empty()) {
    sends.emplace_back(Tell{session, "everywhere() was not run: " + refusal});
    refuse(session, wanted, "it was not run: " + refusal, sends);
    return sends;
  }
  everywhere_memory_ += size;
  peak_memory_ = std::max(peak_memory_, memory());
  Everywhere& made =
      everywheres_.emplace(next_sequence_++, Everywhere{session, std::move(payload)}).first->second;
  bind_answers(made, wanted, sends);
  // The others get it when they have answered, or are heard again.
  std::set<std::size_t> free = free_;
  for (std::size_t slot : free) feed(*find(daemon_at_[slot]), sends);
  if (made.next < made.end) tell_if_alone(sends);
  return sends;
}

// --- its values ---

void Dispatcher::bind_answers(Everywhere& everywhere, Wanted wanted, Sends& sends) {
  everywhere.next = wanted.first;
  everywhere.end = wanted.first + wanted.count;
  std::uint64_t here = 0;
  for (std::size_t slot = 0; slot < slots_.size() && everywhere.next < everywhere.end; ++slot) {
    if (!slots_[slot].online || find(daemon_at_[slot])->leaving) continue;
    everywhere.awaited[daemon_at_[slot]] = everywhere.next++;
    ++here;
  }
  std::uint64_t later = wanted.minimum - std::min(wanted.minimum, here);
  std::uint64_t end = everywhere.next + std::min(later, everywhere.end - everywhere.next);
  refuse(everywhere.session, {end, everywhere.end - end},
         "a daemon that was there when everywhere() was called is gone", sends);
  everywhere.end = end;
}

void Dispatcher::bind_answers_to(DaemonId joined) {
  for (auto& [sequence, everywhere] : everywheres_) {
    if (everywhere.next < everywhere.end) everywhere.awaited[joined] = everywhere.next++;
  }
}

void Dispatcher::give_answer(const TaskKey& key, DaemonId daemon, Resolve value, Sends& sends) {
  auto found = everywheres_.find(key.task & ~everywhere_bit);
  if (found == everywheres_.end()) return;  // its session has left
  auto task = found->second.awaited.extract(daemon);
  if (task.empty()) return;
  value.key = {key.session, task.mapped()};
  sends.emplace_back(std::move(value));
}

void Dispatcher::fail_answers(const Daemon& gone, Code code, const std::string& how, Sends& sends) {
  for (auto& [sequence, everywhere] : everywheres_) {
    auto task = everywhere.awaited.extract(gone.id);
    if (task.empty()) continue;
    bool began = gone.running && gone.running->key.task == (everywhere_bit | sequence);
    std::string reason = name_of(gone) + " " + how + (began ? " while" : " before") + " it ran everywhere()";
    sends.emplace_back(Resolve{{everywhere.session, task.mapped()}, code, std::move(reason), {}, false});
  }
}

void Dispatcher::give_up_answers(const std::string& reason, Sends& sends) {
  for (auto& [sequence, everywhere] : everywheres_) {
    refuse(everywhere.session, {everywhere.next, everywhere.end - everywhere.next}, reason, sends);
    everywhere.end = everywhere.next;
  }
}

// One whose values are waited for, from daemons that have yet to join.
const Dispatcher::Everywhere* Dispatcher::find_open() const {
  auto open = std::find_if(everywheres_.begin(), everywheres_.end(),
                           [](const auto& each) { return each.second.next < each.second.end; });
  return open == everywheres_.end() ? nullptr : &open->second;
}

}  // namespace tenkai
