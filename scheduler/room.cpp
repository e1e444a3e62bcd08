#include "scheduler/room.h"

#include <algorithm>

#include "base/text.h"
#include "scheduler/task_queue.h"

namespace tenkai {

void Room::on_request(Duration time_request) { longest_request_ = std::max(longest_request_, time_request); }

void Room::on_scaled(std::optional<Duration> room) {
  is_known_ = room.has_value();
  if (room) next_room_ = room;
}

void Room::on_joined(std::optional<Duration> room) {
  if (is_known_) return;
  Duration at_least = room.value_or(Duration::max());
  next_room_ = std::max(next_room_.value_or(at_least), at_least);
}

std::string Room::tell(Duration request) {
  told_ = true;
  // As it was asked, where that is known: the queue rounds up.
  std::string rounded;
  if (rounded_request(longest_request_) == request) {
    // That it is rounded up is of interest where it is the reason.
    bool fits = longest_request_ <= *next_room_;
    if (fits) rounded = ", rounded up to " + in_seconds(std::chrono::ceil<std::chrono::seconds>(request));
    request = longest_request_;
  }
  return "a task asks for " + in_seconds(request) + " (.time_request" + rounded +
         "), and daemons have at most " + in_seconds(std::chrono::floor<std::chrono::seconds>(*next_room_)) +
         " for tasks: it waits until one comes that has more. Ask for longer jobs (slurm.time in "
         "a profile), or cancel it";
}

}  // namespace tenkai
