// How much time daemons have for tasks, and what is told where a task asks for more. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace tenkai {

class Room {
 public:
  using Duration = std::chrono::milliseconds;

  // A task was submitted that may take so long, as its user says.
  void on_request(Duration time_request);
  // Daemons are launched as there is work, and will have so long; nullopt: that is not known.
  void on_scaled(std::optional<Duration> room);
  // A daemon has come that has so long; nullopt: without end.
  void on_joined(std::optional<Duration> room);

  // Whether a request can be too long at all, which is quick to see.
  bool may_be_short() const { return longest_request_.count() != 0 && !told_ && next_room_; }
  // Whether daemons that come have no time for a task that asks for so long, as the queue
  // rounds it.
  bool is_short_for(Duration request) const { return may_be_short() && request > *next_room_; }
  // That it waits: the sentence, once.
  std::string tell(Duration request);

 private:
  // As the launcher says, or the most that one has come with.
  std::optional<Duration> next_room_;
  bool is_known_ = false;
  Duration longest_request_{0};  // that was submitted, not rounded
  bool told_ = false;
};

}  // namespace tenkai
