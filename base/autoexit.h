// What becomes of daemons when the session ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tenkai {

// In the order in which R sends it to its C++ code.
enum class Autoexit : std::uint8_t {
  now,     // TRUE: the task is interrupted; gone within 5 s
  finish,  // NA: a running task may finish
  stay,    // FALSE: they stay and look for another dispatcher
};

// The word for it in SETUP, in launch plans and for --autoexit.
constexpr std::string_view to_word(Autoexit autoexit) {
  switch (autoexit) {
    case Autoexit::now: return "1";
    case Autoexit::finish: return "na";
    case Autoexit::stay: break;
  }
  return "0";
}

inline std::optional<Autoexit> autoexit_from_word(std::string_view word) {
  for (Autoexit each : {Autoexit::now, Autoexit::finish, Autoexit::stay}) {
    if (word == to_word(each)) return each;
  }
  return std::nullopt;
}

}  // namespace tenkai
