#include "scheduler/task_queue.h"

#include <bit>
#include <chrono>
#include <cstdint>

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
  Groups& groups = task.need == Size() ? groups_ : larger_[task.need];
  Group& group = groups[task.time_request];
  group.emplace_hint(group.end(), task.sequence, task.key);
  ++size_;
  if (!task.map) return;
  task.map->waiting += task.count;
  more_elements_ += task.count - 1;
}

void TaskQueue::remove(const Task& task) {
  auto larger = task.need == Size() ? larger_.end() : larger_.find(task.need);
  if (task.need != Size() && larger == larger_.end()) return;
  Groups& groups = larger == larger_.end() ? groups_ : larger->second;
  auto found = groups.find(task.time_request);
  if (found == groups.end()) return;
  if (found->second.erase(task.sequence) == 0) return;
  --size_;
  if (task.map) {
    task.map->waiting -= task.count;
    more_elements_ -= task.count - 1;
  }
  if (!found->second.empty() || found == groups_.begin()) return;
  groups.erase(found);
  if (larger != larger_.end() && groups.empty()) larger_.erase(larger);
}

void TaskQueue::find_first(const Groups& groups, std::optional<std::chrono::milliseconds> room,
                           std::optional<Head>& oldest) {
  for (const auto& [request, group] : groups) {
    if (room && request > *room) break;
    if (group.empty()) continue;
    const auto& [sequence, key] = *group.begin();
    if (!oldest || sequence < oldest->sequence) oldest = Head{sequence, key};
  }
}

std::optional<TaskQueue::Head> TaskQueue::first(std::optional<std::chrono::milliseconds> room,
                                                const Size& size) const {
  std::optional<Head> oldest;
  find_first(groups_, room, oldest);
  for (const auto& [need, groups] : larger_) {
    if (covers(size, need)) find_first(groups, room, oldest);
  }
  return oldest;
}

std::size_t TaskQueue::usual(std::optional<std::chrono::milliseconds> room) const {
  std::size_t count = more_elements_;  // they ask for no time
  for (const auto& [request, group] : groups_) {
    if (room && request > *room) break;
    count += group.size();
  }
  return count;
}

std::optional<std::pair<std::chrono::milliseconds, TaskKey>> TaskQueue::longest() const {
  const auto& [request, group] = *groups_.rbegin();
  if (group.empty()) return std::nullopt;
  return std::pair(request, group.begin()->second);
}

std::vector<std::pair<Size, std::size_t>> TaskQueue::larger_needs() const {
  std::vector<std::pair<Size, std::size_t>> needs;
  for (const auto& [need, groups] : larger_) {
    std::size_t count = 0;
    for (const auto& [request, group] : groups) count += group.size();
    needs.emplace_back(need, count);
  }
  return needs;
}

std::vector<TaskKey> TaskQueue::with_need(const Size& need) const {
  std::vector<TaskKey> keys;
  auto found = larger_.find(need);
  if (found == larger_.end()) return keys;
  for (const auto& [request, group] : found->second) {
    for (const auto& [sequence, key] : group) keys.push_back(key);
  }
  return keys;
}

}  // namespace tenkai
