#include "agent/rank.h"

#include <algorithm>

namespace tenkai {

bool all_are_over(const std::vector<Rank>& ranks) {
  return std::all_of(ranks.begin(), ranks.end(),
                     [](const Rank& rank) { return rank.life == Rank::Life::over; });
}

void give_up_unless_up(std::vector<Rank>& ranks) {
  if (std::any_of(ranks.begin(), ranks.end(), [](const Rank& rank) { return rank.up; })) return;
  for (Rank& rank : ranks) rank.life = Rank::Life::over;
}

void give_up_starts(std::vector<Rank>& ranks) {
  for (Rank& rank : ranks) {
    if (rank.life == Rank::Life::to_be_started) rank.life = Rank::Life::over;
  }
}

}  // namespace tenkai
