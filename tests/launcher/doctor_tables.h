// What the tables of tests of the doctor compare with.
#pragma once

#include <string>

#include "launcher/doctor/check.h"

namespace tenkai::doctor {

// "slurm.partition wrong;": what is not ok, in order.
inline std::string bad_of(const Checks& checks) {
  std::string ids;
  for (const Check& each : checks)
    if (each.state != State::ok) ids += each.id + " " + std::string(name_of(each.state)) + ";";
  return ids;
}

// The first `from` in `text`, which has it.
inline void replace(std::string& text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
}

}  // namespace tenkai::doctor
