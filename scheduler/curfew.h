// What a daemon has left of the time of its job.
#pragma once

#include <algorithm>
#include <chrono>

namespace tenkai {

// A job ends when its time is over, whatever runs in it. Towards the end its daemons are
// given nothing new, because the next task would probably not be done; what is still not
// done shortly before the end is taken away and given to others, while it can be.
struct Curfew {
  using Time = std::chrono::steady_clock::time_point;

  Time last_call;  // from here on nothing new
  Time hand_back;  // from here on the running task is given to others

  // A job that lasts `left` from now. The last tenth of what a daemon has is for what it
  // is doing then, a minute at most; half of that, five seconds at most, is to hand back.
  static Curfew in(Time now, std::chrono::milliseconds left) {
    using std::chrono::milliseconds;
    milliseconds notice = std::min<milliseconds>(left / 10, std::chrono::seconds(60));
    milliseconds reserve = std::min<milliseconds>(notice / 2, std::chrono::seconds(5));
    return {now + left - notice, now + left - reserve};
  }
};

}  // namespace tenkai
