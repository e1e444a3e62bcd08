// Tasks that wait, in the order in which they were submitted. Some may only go where
// there is enough time left for them, and some only to daemons that are larger than usual.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

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
  // How many tasks there are; elements of maps are one each.
  std::size_t size() const { return size_ + more_elements_; }
  // The oldest task that asks for no more time than this, nullopt: for any, and that a
  // daemon of this size can run.
  std::optional<Head> first(std::optional<std::chrono::milliseconds> room = {},
                            const Size& size = {max_steps, max_steps}) const;
  // How many tasks of the usual need ask for no more time than this; nullopt: all.
  std::size_t usual(std::optional<std::chrono::milliseconds> room) const;
  // The longest request of a task of the usual need, and the oldest that has it.
  std::optional<std::pair<std::chrono::milliseconds, TaskKey>> longest() const;
  // How many tasks there are of each need beyond the usual.
  std::vector<std::pair<Size, std::size_t>> larger_needs() const;
  // Those of one need beyond the usual.
  std::vector<TaskKey> with_need(const Size& need) const;

 private:
  // Most tasks ask for nothing. Their group is always there: a queue that is empty and
  // gets a task a hundred thousand times a second should not make and drop it each time.
  using Group = std::map<std::uint64_t, TaskKey>;
  using Groups = std::map<std::chrono::milliseconds, Group>;
  static void find_first(const Groups& groups, std::optional<std::chrono::milliseconds> room,
                         std::optional<Head>& oldest);

  Groups groups_{{std::chrono::milliseconds(0), Group()}};
  std::map<Size, Groups> larger_;  // by need; mostly there are none
  std::size_t size_ = 0;
  std::size_t more_elements_ = 0;  // those of pieces but the first of each
};

}  // namespace tenkai
