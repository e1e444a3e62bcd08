// What happens when the stream of a busy daemon ends.
//
// R looks at its stream only between tasks. So that a daemon whose dispatcher
// was killed does not compute on for hours, the kernel is asked to signal the
// end of the stream, but only while a task runs: an idle daemon sees it anyway.
#pragma once

namespace tenkai {

enum class AtEnd {
  exit,         // interrupt the task; five seconds later end in any case
  finish_task,  // finish the running task, then exit
  stay,         // finish it, and wait for another dispatcher
  raise,        // raise a signal of the user's choice, then exit
};

// Prepares the stream. `signal` counts with AtEnd::raise.
void watch_for_end(int fd, AtEnd then, int signal);

// While one of these lives the end of the stream is acted on at once.
class Watching {
 public:
  Watching();
  ~Watching();
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
};

}  // namespace tenkai
