// What the dispatcher asks for, as lines of text that a test can compare.
//
//   assign 1/7#2 to 10 "x"        session 1, task 7, attempt 2, daemon 10
//   everywhere of 1 to 10 "x"
//   share 1/7 with 10 "x"         assign 1/7#1 to 10 a b       elements of a map
//   resolve 1/7+2 "x"             ... and the answer to two of them
//   resolve 1/7 "x"               resolve 1/7 failed "x"
//   resolve 1/7 code 20: why
//   interrupt 1/7#2 on 10         kill 10    acknowledge 10    dismiss 10
//   launch                        tell 1: text
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/dispatcher.h"

namespace tenkai::tests {

using Lines = std::vector<std::string>;

std::string describe(const Send& send);
Lines describe(const Sends& sends);

// The moment so long after the start of a test.
inline Time at(std::chrono::milliseconds since) { return Time() + since; }

Submit task(std::uint64_t number, std::string_view payload = "x");

// The key of an everywhere() in these sends, for answering it.
TaskKey key_of_everywhere(const Sends& sends);

// Joins session 1 and so many daemons: 10 on slot 0, 11 on slot 1, …
Dispatcher with_daemons(std::size_t count, Rules rules = {});

}  // namespace tenkai::tests
