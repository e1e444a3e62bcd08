#include "scheduler/tasks.h"

#include <algorithm>
#include <cassert>

#include "base/frame.h"
#include "base/parcel.h"
#include "base/shared_blocks.h"
#include "base/text.h"

namespace tenkai {
namespace {

// Deaths of one task that are told one by one.
constexpr std::size_t max_told_deaths = 10;

// Only the payload of a large element is a file, into which nobody looks here.
bool is_whole(const Task& task) { return task.count == task.in_parcel; }

// Whether others may use the same memory: what is smaller travels by itself.
bool may_be_shared(const Payload& payload) {
  return size_of(payload) >= file_size || has_shared_blocks(payload);
}

// All that it keeps in memory, each once.
std::vector<const Bytes*> held_by(const Payload& payload) {
  std::vector<const Bytes*> held{&payload->without_blocks()};
  for (const auto& file : shared_files(payload)) {
    if (file.get() != held.front()) held.push_back(file.get());
  }
  return held;
}

}  // namespace

std::uint64_t bytes_of(const Task& task) {
  if (is_whole(task)) return size_of(task.payload);
  return Parcel::trusted(view_of(task.payload))->size_of(task.skip, task.count);
}

Payload payload_for_daemon(const Task& task) {
  if (is_whole(task)) return task.payload;
  return Parcel::trusted(view_of(task.payload))->slice(task.skip, task.count);
}

void Tasks::open(SessionId session) { sessions_.try_emplace(session); }

bool Tasks::knows(SessionId session) const { return sessions_.count(session) > 0; }

std::vector<Task> Tasks::close(SessionId session) {
  std::vector<Task> rest;
  auto node = sessions_.extract(session);
  if (node.empty()) return rest;
  rest.reserve(node.mapped().size());
  for (auto& [number, task] : node.mapped()) {
    forget(task);
    rest.push_back(std::move(task));
  }
  std::sort(rest.begin(), rest.end(), [](const Task& a, const Task& b) { return a.sequence < b.sequence; });
  return rest;
}

Task* Tasks::find(TaskKey key) {
  auto session = sessions_.find(key.session);
  if (session == sessions_.end()) return nullptr;
  auto task = session->second.find(key.task);
  return task == session->second.end() ? nullptr : &task->second;
}

Task& Tasks::add(Task task) {
  assert(knows(task.key.session) && find(task.key) == nullptr);
  if (task.deadline) deadlines_.emplace(*task.deadline, task.key);
  count(task, true);
  size_ += task.count;
  return sessions_[task.key.session].emplace(task.key.task, std::move(task)).first->second;
}

Task Tasks::take(const Task& task) {
  forget(task);
  return std::move(sessions_[task.key.session].extract(task.key.task).mapped());
}

std::uint64_t Tasks::memory_for(const Payload& payload) const {
  if (!may_be_shared(payload)) return size_of(payload);
  std::uint64_t more = 0;
  for (const Bytes* bytes : held_by(payload)) more += users_.count(bytes) == 0 ? bytes->size() : 0;
  return more;
}

void Tasks::count(const Task& task, bool is_here) {
  if (!is_whole(task) || !may_be_shared(task.payload)) {
    memory_ += is_here ? bytes_of(task) : -bytes_of(task);
    return;
  }
  for (const Bytes* bytes : held_by(task.payload)) {
    if (is_here && users_[bytes]++ == 0) memory_ += bytes->size();
    if (is_here || --users_[bytes] > 0) continue;
    users_.erase(bytes);
    memory_ -= bytes->size();
  }
}

std::string Tasks::explanation_of(const Task& task) const {
  auto found = explanations_.find(task.key);
  return found == explanations_.end() ? std::string() : found->second;
}

void Tasks::add_to_story(const Task& task, const std::string& end) {
  std::vector<std::string>& story = stories_[task.key];
  if (story.size() < max_told_deaths) story.push_back(end);
}

std::string Tasks::story_of(const Task& task, int count) const {
  auto found = stories_.find(task.key);
  if (found == stories_.end()) return {};
  std::string text = join(found->second, ", ");
  std::size_t more = static_cast<std::size_t>(count) -
                     std::min<std::size_t>(static_cast<std::size_t>(count), found->second.size());
  return more == 0 ? text : text + ", and " + std::to_string(more) + " more";
}

std::optional<Time> Tasks::first_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

Task* Tasks::find_overdue(Time now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return nullptr;
  return find(deadlines_.begin()->second);
}

void Tasks::forget(const Task& task) {
  if (task.deadline) deadlines_.erase({*task.deadline, task.key});
  count(task, false);
  if (!explanations_.empty()) explanations_.erase(task.key);
  if (!stories_.empty()) stories_.erase(task.key);
  size_ -= task.count;
}

}  // namespace tenkai
