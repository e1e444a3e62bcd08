#include "launcher/doctor/clock_check.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "base/text.h"

namespace tenkai::doctor {
namespace {

// Certificates are good from the hour before they were made on; logs and time-outs are compared by people.
constexpr double most_skew = 60;

}  // namespace

Check judge_clock(const std::string& id, const std::string& what, const std::string& seconds, double begun,
                  double ended) {
  auto said = to_number<std::int64_t>(seconds);
  if (!said) return skipped(id, what, "is not known");
  auto there = static_cast<double>(*said);
  double skew = there < begun ? there - begun : std::max(0.0, there - ended);
  char words[40];
  std::snprintf(words, sizeof words, "%.0f s", skew < 0 ? -skew : skew);
  if (skew < -most_skew || skew > most_skew)
    return warning(id, what, std::string("is ") + words + (skew < 0 ? " behind ours" : " ahead of ours"),
                   "ask for NTP on one of the two: timedatectl set-ntp true");
  return ok(id, what, "goes as ours");
}

}  // namespace tenkai::doctor
