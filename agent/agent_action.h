// What the core of an agent asks to be done. A rank is one of its daemons.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/error_code.h"
#include "base/frame.h"

namespace tenkai {
namespace action {

// --- to the dispatcher ---

struct Dial {};
// Say who we are on the new connection. `resume`: by what was agreed on the one before;
// else that is of no use any more.
struct Greet {
  bool resume;
};
// Answer this CHALLENGE, and tell by on_proven() or on_not_proven() what it is worth.
struct Prove {
  Frame challenge;
};
struct Tell {
  Frame frame;
};
struct HangUp {
  std::string reason;
  Code code;
};

// --- to R ---

// Start an R, for the so many-th time, and tell by on_started() or
// on_not_started().
struct Start {
  std::uint32_t rank;
  std::size_t starts;
};
struct Pass {
  std::uint32_t rank;
  Frame frame;
};
// Let go of the stream to an R that has ended.
struct Release {
  std::uint32_t rank;
};
struct Interrupt {
  pid_t pid;
};
struct Kill {
  pid_t pid;
};
// It goes on, and we do not wait for its end.
struct Forget {
  pid_t pid;
};
// What R writes to its log from now on is a task's; up to now, and is to be kept apart.
struct BeginTaskLog {
  std::uint32_t rank;
};
struct EndTaskLog {
  std::uint32_t rank;
  std::uint64_t task;
};

// --- to people ---

struct Warn {
  std::string text;
};
// `aloud`: whoever has started us reads it, a launcher or a person; else the log alone has it.
struct Complain {
  std::string text;
  bool aloud;
};

// Say goodbye, and end the program.
struct Stop {};

}  // namespace action

using Action =
    std::variant<action::Dial, action::Greet, action::Prove, action::Tell, action::HangUp, action::Start,
                 action::Pass, action::Release, action::Interrupt, action::Kill, action::Forget,
                 action::BeginTaskLog, action::EndTaskLog, action::Warn, action::Complain, action::Stop>;
using Actions = std::vector<Action>;

}  // namespace tenkai
