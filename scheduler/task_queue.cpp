#include "scheduler/task_queue.h"

#include <bit>

namespace tenkai {

std::chrono::milliseconds rounded_request(std::chrono::milliseconds wanted) {
  auto number = static_cast<std::uint64_t>(bounded_wait(wanted).count());
  auto width = static_cast<unsigned>(std::bit_width(number));
  if (width <= 5) return std::chrono::milliseconds(number);
  // All but the five highest bits are filled up.
  std::uint64_t step = std::uint64_t{1} << (width - 5);
  return std::chrono::milliseconds((number + step - 1) / step * step);
}

void TaskQueue::add(const Task& task) {
  Group& group = groups_[task.time_request];
  group.emplace_hint(group.end(), task.sequence, task.key);
  ++size_;
}

void TaskQueue::remove(const Task& task) {
  auto found = groups_.find(task.time_request);
  if (found == groups_.end()) return;
  size_ -= found->second.erase(task.sequence);
  if (found->second.empty() && found != groups_.begin()) groups_.erase(found);
}

std::optional<TaskQueue::Head> TaskQueue::first(std::optional<std::chrono::milliseconds> room) const {
  std::optional<Head> oldest;
  for (const auto& [request, group] : groups_) {
    if (room && request > *room) break;
    if (group.empty()) continue;
    const auto& [sequence, key] = *group.begin();
    if (!oldest || sequence < oldest->sequence) oldest = Head{sequence, key};
  }
  return oldest;
}

}  // namespace tenkai
