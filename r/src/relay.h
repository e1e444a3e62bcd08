// What a running task says, on its way to the session while the task goes on.
//
// Conditions come from R's handlers, output from a pipe that stands in for standard output
// while such a task runs, so that what C code and other programs write is in it, in its
// place. A thread sends both, at most every few milliseconds: a daemon that computes for an
// hour has no other moment. It knows nothing of R. What it cannot send yet waits in a bounded
// buffer, and who fills that waits, too: a flood slows its own task.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/frame.h"
#include "base/parcel.h"
#include "saying.h"
#include "stream.h"

namespace tenkai {

class Relay {
 public:
  explicit Relay(Stream& stream);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // That of the task that is being evaluated here, if it is relayed; else null.
  static Relay* current();
  // R ends within a task: what it has said is sent while there is a stream.
  static void last_words();

  // What is said from now on is this task's.
  void name(const Frame& task);
  // ... and of this element of it.
  void at_element(std::uint64_t place);
  // `output`: also what it writes, which goes on to where it went if `is_logged`. Throws
  // std::runtime_error.
  void begin(bool output, bool is_logged);
  bool is_active() const { return active_; }
  bool takes_output() const { return takes_output_; }
  // All has been sent when it returns; nobody else uses the stream meanwhile.
  void end();
  // Waits while too much is waiting. `what` is at most max_saying long.
  void say(Saying::Kind kind, std::string_view what);

  static constexpr std::size_t max_saying = 64 * 1024;

 private:
  using Clock = std::chrono::steady_clock;

  void open();
  void serve();
  void ring();
  // With the lock held:
  void take_output();
  void add(Saying::Kind kind, std::string_view what);
  void send();

  Stream& stream_;
  unsigned generation_;
  std::thread thread_;
  int pipe_[2] = {-1, -1};
  int bell_ = -1;
  int log_ = -1;  // where standard output went before

  std::mutex lock_;
  std::condition_variable changed_;
  bool active_ = false;
  bool takes_output_ = false;
  bool is_logged_ = false;
  bool ends_ = false;
  Frame said_{Type::said};
  std::uint64_t place_ = 0;
  std::uint64_t frames_ = 0;
  std::string waiting_;
  ParcelTable table_;
  Clock::time_point sent_at_{};
};

}  // namespace tenkai
