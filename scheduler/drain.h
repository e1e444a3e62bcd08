// The drain of a daemon: when it is given nothing new, because its job is about to end.
#pragma once

#include <algorithm>
#include <chrono>

namespace tenkai {

// A job ends when its time is over, whatever runs in it. Towards the end its daemons are
// given nothing new, because the next task would probably not be done: they drain. What is
// still not done at the drain deadline, shortly before the end, is taken away and given to
// others, while it can be.
struct Drain {
  using Time = std::chrono::steady_clock::time_point;

  Time begin;     // from here on nothing new
  Time deadline;  // from here on the running task is handed back, and given to others

  // A job that lasts `left` from now. The last tenth of what a daemon has is for what it
  // is doing then, a minute at most; half of that, five seconds at most, is to hand back.
  static Drain in(Time now, std::chrono::milliseconds left) {
    using std::chrono::milliseconds;
    milliseconds notice = std::min<milliseconds>(left / 10, std::chrono::seconds(60));
    milliseconds reserve = std::min<milliseconds>(notice / 2, std::chrono::seconds(5));
    return {now + left - notice, now + left - reserve};
  }
};

}  // namespace tenkai
