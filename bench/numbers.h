// What the measuring programs say: one flat JSON object of numbers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace tenkai::bench {

using Clock = std::chrono::steady_clock;
using Numbers = std::vector<std::pair<std::string, double>>;

inline double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

// The smallest value that is not below `part` of them all. There must be one.
inline double quantile(std::vector<double> values, double part) {
  auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

inline void print_json(const Numbers& numbers) {
  const char* before = "{";
  for (const auto& [name, value] : numbers) {
    std::printf("%s\"%s\": %.10g", before, name.c_str(), value);
    before = ", ";
  }
  std::puts("}");
}

[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

}  // namespace tenkai::bench
