// Whether the clock of another machine goes as ours.
#pragma once

#include <string>

#include "launcher/doctor/check.h"

namespace tenkai::doctor {

// `seconds`: what it said, since 1970, at some time between `begun` and `ended` of our clock.
Check judge_clock(const std::string& id, const std::string& what, const std::string& seconds, double begun,
                  double ended);

}  // namespace tenkai::doctor
