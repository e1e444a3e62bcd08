// The first of many tasks to have an answer, whichever links they are on.
//
// R's objects are looked at once, when the tasks are entered; the wait itself is one for
// all the links, and costs nothing while nothing comes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "link.h"

namespace tenkai {

class Race {
 public:
  // `place`: what wait() says of it. Where several have an answer, the first that was
  // entered counts.
  void enter(const std::shared_ptr<Link>& link, std::uint64_t task, std::size_t place);
  bool is_empty() const { return tasks_.empty(); }

  using Until = std::optional<std::chrono::steady_clock::time_point>;

  // The place of a task that is not pending; nothing when a link has something to tell, or
  // when it is `until`. Whoever hears the first may look at the mirais, so they are to be
  // entered anew then. Interruptible.
  std::optional<std::size_t> wait(Until until);
  const std::vector<std::shared_ptr<Link>>& links() const { return links_; }

 private:
  struct Task {
    std::size_t link;
    std::uint64_t task;
    std::size_t place;
  };

  std::optional<std::size_t> first() const;
  std::uint64_t news() const;

  std::vector<std::shared_ptr<Link>> links_;
  std::vector<Task> tasks_;
};

}  // namespace tenkai
