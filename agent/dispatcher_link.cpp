#include "agent/dispatcher_link.h"

#include <algorithm>

namespace tenkai {
namespace {

constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{1000};
constexpr std::chrono::seconds patience_at_the_door{5};
// A host that answers "nobody listens here" is up, and what listened is not.
constexpr std::chrono::milliseconds patience_when_refused{5000};
// Until a WELCOME says it.
constexpr std::chrono::milliseconds usual_grace{60000};

}  // namespace

void DispatcherLink::on_welcome(std::chrono::milliseconds grace) {
  state = State::welcomed;
  pause_ = std::chrono::milliseconds(0);
  cut_off_since_.reset();
  turned_away_since_.reset();
  grace_ = grace;
}

std::optional<std::chrono::milliseconds> DispatcherLink::on_lost(Time now, Code why, bool for_ever) {
  state = State::down;
  // Somebody took the call and hung up: at a door that many besiege this happens to
  // those who belong there, too.
  bool hung_up = why == Code::reset && now - born_ < patience_at_the_door;
  if (!was_welcomed() && !for_ever && !hung_up) return std::nullopt;
  if (!cut_off_since_) cut_off_since_ = now;
  bool is_nobody_there = why == Code::refused || why == Code::not_found;
  // Who comes then is another.
  if (is_nobody_there) turned_away_since_.reset();
  std::chrono::milliseconds patience = grace_.value_or(usual_grace);
  if (is_nobody_there) patience = std::min(patience, patience_when_refused);
  if (!for_ever && now - *cut_off_since_ > patience) return std::nullopt;
  // Many agents that lost one dispatcher should not all call at once.
  std::chrono::milliseconds pause = pause_ / 2 + pause_ * (random_() % 65536) / 65536 / 2;
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  return pause;
}

bool DispatcherLink::on_turned_away(Time now) {
  if (!turned_away_since_) turned_away_since_ = now;
  return !was_welcomed() || now - *turned_away_since_ > patience_when_refused;
}

}  // namespace tenkai
