// The connection of an agent to its dispatcher: how far it has come, and when to dial again
// or to give up. Pure: the time is an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "base/error_code.h"

namespace tenkai {

class DispatcherLink {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class State {
    down,      // none: the next one is dialled after a pause
    dialling,  // nobody has answered yet
    claimed,   // we have said who we are, over the network: CHALLENGE must come
    proven,    // we have proved it, or the kernel knows: WELCOME must come
    welcomed,
    closing,  // we have hung up, and nothing more is said
  };

  DispatcherLink(Time born, std::uint64_t seed)
      : born_(born), random_(static_cast<std::minstd_rand::result_type>(seed)) {}

  bool is_welcomed() const { return state == State::welcomed; }
  bool was_welcomed() const { return grace_.has_value(); }  // ever

  // We may be cut off for as long as `grace` and be taken back.
  void on_welcome(std::chrono::milliseconds grace);
  // Nobody answered, or the connection has ended. Returns the pause before the next try;
  // nothing: there is no hope. `for_ever`: there always is.
  std::optional<std::chrono::milliseconds> on_lost(Time now, Code why, bool for_ever);
  // Whoever is there says no, and may be anybody: bytes that were changed on their way look
  // like it, or another program that has the port for a moment. With daemons at work it is
  // asked again. Whether that is of no use.
  bool on_turned_away(Time now);

  State state = State::down;

 private:
  Time born_;
  std::minstd_rand random_;
  std::optional<std::chrono::milliseconds> grace_;
  std::optional<Time> cut_off_since_;
  std::optional<Time> turned_away_since_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace tenkai
