// The object of class "mirai": an environment with the active binding `data`,
// the handle `aio` and, once it is known, `value`. Its attribute `id` names the task.
#pragma once

#include <cstdint>
#include <memory>

#include "crossing.h"
#include "link.h"

namespace tenkai {

// What a mirai knows of its task. It keeps its link alive, so a mirai outlives
// daemons(0) and is not confused by what is set afterwards.
struct Handle {
  std::shared_ptr<Link> link;
  std::uint64_t task = 0;
};

// A function(self) that makes the function behind `data`. Given once by R.
void set_reader_factory(SEXP factory);

// From now on mirais have the class "promise", too.
void name_promises();

// The mirai of a task. The result is not protected.
SEXP new_mirai(const std::shared_ptr<Link>& link, std::uint64_t task);

bool is_mirai(SEXP object);
// Null where it has been resolved, or came from another process.
Handle* handle_of(SEXP mirai);
// The value if it is known without waiting, else unresolved_value(). A first
// look at an answer makes it an R object. May jump.
SEXP settle(SEXP mirai);
// What an answer stands for. May jump.
SEXP value_in(const Answer& answer, const Link& link);
// Gives it this value; whatever answer comes later is dropped.
void resolve_to(SEXP mirai, SEXP value);

}  // namespace tenkai
