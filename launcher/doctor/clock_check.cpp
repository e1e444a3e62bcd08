#include "launcher/doctor/clock_check.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tenkai::doctor {
namespace {

// Certificates are good from the hour before they were made on; logs and time-outs are compared by people.
constexpr double most_skew = 60;

}  // namespace

Check judge_clock(const std::string& id, const std::string& what, const std::string& seconds, double begun,
                  double ended) {
  char* end = nullptr;
  double there = std::strtod(seconds.c_str(), &end);
  if (seconds.empty() || *end != '\0') return skipped(id, what, "is not known");
  double skew = there < begun ? there - begun : std::max(0.0, there - ended);
  char words[40];
  std::snprintf(words, sizeof words, "%.0f s", skew < 0 ? -skew : skew);
  if (skew < -most_skew || skew > most_skew)
    return warning(id, what, std::string("is ") + words + (skew < 0 ? " behind ours" : " ahead of ours"),
                   "ask for NTP on one of the two: timedatectl set-ntp true");
  return ok(id, what, "goes as ours");
}

}  // namespace tenkai::doctor
