// Tasks that are bound to one daemon, and those that are pinned to its R process: nodes of a
// cluster, whose state is gone with it.
#include <cstddef>
#include <string>
#include <utility>

#include "scheduler/dispatcher.h"

namespace tenkai {

// Why nothing can be pinned to this slot; empty where a daemon is there.
std::string Dispatcher::absence_at(std::size_t slot) const {
  if (slot < slots_.size() && slots_[slot].online) return {};
  std::string name = "daemon " + std::to_string(slot + 1);
  if (slot >= slots_.size() || slots_[slot].end.empty())
    return name + ", which alone may run this task, is not here";
  return name + " " + slots_[slot].end + " before it was given this task";
}

// Binds a task to a daemon, which takes it when it comes to that.
void Dispatcher::wait_at(Daemon& daemon, Task& task) {
  task.place = Task::Place::waiting;
  task.daemon = daemon.id;
  daemon.waiting.add(task);
  waiting_ += task.count;
}

// Resolves what was pinned to a daemon that is gone, and only waited for it.
void Dispatcher::give_up_pinned(Daemon& gone, Code code, const std::string& how, Sends& sends) {
  waiting_ -= gone.waiting.size();
  while (auto head = gone.waiting.first()) {
    Task& task = *tasks_.find(head->key);
    gone.waiting.remove(task);
    std::string reason =
        name_of(gone) + " " + how + " while this task, which it alone may run, waited for it";
    sends.emplace_back(Resolve{task.key, code, std::move(reason), {}, false});
    tasks_.take(task);
  }
}

}  // namespace tenkai
