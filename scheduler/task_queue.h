// Tasks that wait, in the order in which they were submitted. Some may only go where
// there is enough time left for them.
#pragma once

#include <map>
#include <optional>

#include "scheduler/tasks.h"

namespace tenkai {

// A time request as it is kept: rounded up, by at most a sixteenth, to one of fewer than
// a thousand lengths, so that the tasks of a queue fall into few groups whatever is asked.
std::chrono::milliseconds rounded_request(std::chrono::milliseconds wanted);

class TaskQueue {
 public:
  struct Head {
    std::uint64_t sequence = 0;
    TaskKey key;
  };

  void add(const Task& task);
  void remove(const Task& task);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // The oldest task that asks for no more time than this; nullopt: for any.
  std::optional<Head> first(std::optional<std::chrono::milliseconds> room = {}) const;

 private:
  // Most tasks ask for nothing. Their group is always there: a queue that is empty and
  // gets a task a hundred thousand times a second should not make and drop it each time.
  using Group = std::map<std::uint64_t, TaskKey>;
  std::map<std::chrono::milliseconds, Group> groups_{{std::chrono::milliseconds(0), Group()}};
  std::size_t size_ = 0;
};

}  // namespace tenkai
