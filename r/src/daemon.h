// A daemon: takes tasks from its stream, has R evaluate them, sends the values
// back, and only then cleans up behind them.
//
// Interrupts are suspended all the time but while a task is evaluated, and one
// that is pending is forgotten when a task arrives: an interrupt that comes too
// late for its task hits nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "crossing.h"
#include "ending.h"
#include "evaluation.h"
#include "meter.h"
#include "stream.h"

namespace tenkai {

// What R's daemon() was asked for. Infinity: no limit.
struct Limits {
  Autoexit at_end = Autoexit::now;
  int signal = 0;   // raised at the end, in place of the interrupt
  int cleanup = 7;  // Baseline::Part, added up
  double max_tasks = 0;
  double idle_ms = 0;
  double wall_ms = 0;
  double timer_start = 0;    // tasks before the clocks of the two start
  bool interactive = false;  // somebody may want to press Ctrl-C while it is idle
};

class Daemon {
 public:
  // Dials `url`: abstract://…, ipc://…, or fd:N for a descriptor this process was
  // given. Throws std::runtime_error beginning with the number of the error. One that
  // `stays` waits for somebody to listen there, for ever; interruptible.
  Daemon(std::string url, std::string version, bool stays);
  // Over a stream that is connected already, on behalf of `url`.
  Daemon(std::string url, std::string version, int fd);

  // Serves until there is a reason to stop. `functions`: list(evaluate,
  // escaped, detach, options), see evaluation.h and baseline.h.
  GoneKind run(const Limits& limits, SEXP functions);
  // Tries to reach the same URL again, for ever; interruptible.
  void redial();

 private:
  using Clock = std::chrono::steady_clock;

  void greet();
  std::optional<Frame> next_task(const Limits& limits, GoneKind& why);
  std::optional<Frame> waiting_task(const Limits& limits);
  // Milliseconds until a clock runs out, 0 if one has; negative: never.
  int patience(const Limits& limits, Clock::time_point since, GoneKind& why) const;
  bool is_over(const Limits& limits, GoneKind& why, std::uint64_t tasks);
  bool is_cancelled(const Frame& task);
  void answer_cancelled(const Frame& task);
  void answer(const Frame& task, Evaluation& evaluation, const Usage& usage, bool last);
  void answer(const Frame& task, Piece& piece, const Usage& usage, bool last);
  void say_goodbye(GoneKind why);

  std::string url_;
  std::string version_;
  std::string instance_;
  unsigned generation_;
  std::unique_ptr<Stream> stream_;
  std::deque<Frame> waiting_;   // frames that came with another
  std::optional<Frame> share_;  // what the elements of a map share, until the next task
  bool dismissed_ = false;
  double done_ = 0;  // tasks
  Clock::time_point clocks_start_;
};

}  // namespace tenkai
