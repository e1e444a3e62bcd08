// What tasks say while they run, as the session gets it: in order, and bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/frame.h"

namespace tenkai {

// A value of a parcel in SAID begins with its kind (1 byte) and the number of the element of
// a map (8 bytes, from 0). Output is text; a condition a serialized object: itself, or, of the
// last kind, a list of it and the names of its restarts.
struct Saying {
  // R/relay.R knows the numbers; the first four are what a task is told to relay, added up.
  enum class Kind : std::uint8_t { output = 1, message = 2, warning = 4, condition = 8, gap = 16, end = 32 };
  static constexpr std::size_t head = 9;

  Kind kind;
  std::uint64_t task;
  std::uint64_t of;  // the first task of the map it belongs to, or the task itself
  std::string bytes = {};
  std::uint32_t attempt = 0;
};

class Sayings {
 public:
  bool empty() const { return waiting_.empty(); }
  // What a frame SAID brings; nothing of one that is wrong.
  void add(const Frame& said, std::uint64_t of);
  // The task has said all.
  void end(std::uint64_t task);
  std::optional<Saying> take();

 private:
  struct Last {
    std::uint32_t attempt = 0;
    std::uint64_t number = 0;
  };

  void push(Saying saying);

  std::deque<Saying> waiting_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::uint64_t, Last> last_;  // of each task that has said something
};

}  // namespace tenkai
