// What the dispatcher has said about a task.
#pragma once

#include <cstdint>
#include <string>

#include "base/frame.h"

namespace tenkai {

struct Answer {
  Payload payload;
  std::uint64_t code = 0;  // not 0: an error value, and no payload
  std::string message;     // with a code: what happened; may be empty
  Usage usage = {};        // of a task that was evaluated
};

}  // namespace tenkai
