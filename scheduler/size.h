// How much larger than usual what a task needs, or what a daemon has, is.
//
// The scheduler knows no gigabytes. What a profile asks of a batch system is the usual
// size; a task that has died of too little needs one step more than its daemon had, and
// the launcher knows what a step comes to (Factors).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenkai {

// How often the request for memory, and that for time, was multiplied.
struct Size {
  std::uint8_t mem = 0;
  std::uint8_t time = 0;

  auto operator<=>(const Size&) const = default;
};

// Twice as much, so often, is 256 times as much: no site has that.
inline constexpr std::uint8_t max_steps = 8;

// Whether a task that needs the one can run where the other is.
constexpr bool covers(const Size& is, const Size& needed) {
  return is.mem >= needed.mem && is.time >= needed.time;
}

// What each step multiplies by, in percent. 100: there are no steps.
struct Factors {
  std::uint32_t mem = 100;
  std::uint32_t time = 100;

  bool operator==(const Factors&) const = default;
};

// "x2", "x1.5", "x1.25": more than 1 and at most 16, as percent.
std::optional<std::uint32_t> parse_factor(std::string_view text);

// "twice the memory", "1.5 times the time"
std::string times_as_much(std::uint32_t percent, std::string_view of_what);

}  // namespace tenkai
