// What happens when the stream of a busy daemon ends.
//
// R looks at its stream only between tasks. So that a daemon whose dispatcher
// was killed does not compute on for hours, the kernel is asked to signal the
// end of the stream, but only while a task runs: an idle daemon sees it anyway.
#pragma once

#include "base/autoexit.h"

namespace tenkai {

// Prepares the stream: with `finish` and `stay` its end is left to be seen between tasks. A
// `signal` that is not 0 is raised in place of the interrupt, and nothing follows it.
void watch_for_end(int fd, Autoexit then, int signal);

// While one of these lives the end of the stream is acted on at once.
class Watching {
 public:
  Watching();
  ~Watching();
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
};

}  // namespace tenkai
