#include "agent/rank.h"

#include <initializer_list>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using Life = Rank::Life;

namespace {

std::vector<Rank> ranks_of(std::initializer_list<Life> lives) {
  std::vector<Rank> ranks;
  for (Life life : lives) ranks.emplace_back().life = life;
  return ranks;
}

}  // namespace

TEST_CASE("an agent has nothing left to do when no daemon is there and none is to be started") {
  CHECK(all_are_over(ranks_of({Life::over, Life::over})));
  CHECK_FALSE(all_are_over(ranks_of({Life::over, Life::alive})));
  CHECK_FALSE(all_are_over(ranks_of({Life::to_be_started, Life::over})));
  CHECK_FALSE(all_are_over(std::vector<Rank>(2)));
}

TEST_CASE("towards the end of the job none is started, and those that are there go on") {
  std::vector<Rank> ranks = ranks_of({Life::to_be_started, Life::alive});

  give_up_starts(ranks);

  CHECK(ranks[0].life == Life::over);
  CHECK(ranks[1].life == Life::alive);
}

TEST_CASE("what keeps one daemon from starting is taken to keep all, until one is up") {
  std::vector<Rank> ranks = ranks_of({Life::alive, Life::to_be_started, Life::alive});
  std::vector<Rank> proven = ranks;
  proven[2].up = true;

  give_up_unless_up(ranks);
  give_up_unless_up(proven);

  CHECK(all_are_over(ranks));
  CHECK(proven[0].life == Life::alive);
  CHECK(proven[1].life == Life::to_be_started);
}
