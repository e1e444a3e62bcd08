#include "agent/rank.h"

#include <initializer_list>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using State = Rank::State;

namespace {

std::vector<Rank> ranks_of(std::initializer_list<State> states) {
  std::vector<Rank> ranks;
  for (State state : states) ranks.emplace_back().state = state;
  return ranks;
}

}  // namespace

TEST_CASE("an agent has nothing left to do when no daemon is there and none is to be started") {
  CHECK(all_are_over(ranks_of({State::over, State::over})));
  CHECK_FALSE(all_are_over(ranks_of({State::over, State::starting})));
  CHECK_FALSE(all_are_over(ranks_of({State::paused, State::over})));
  CHECK_FALSE(all_are_over(std::vector<Rank>(2)));
}

TEST_CASE("towards the end of the job none is started, and those that are there go on") {
  std::vector<Rank> ranks = ranks_of({State::paused, State::starting});

  give_up_restarts(ranks);

  CHECK(ranks[0].state == State::over);
  CHECK(ranks[1].state == State::starting);
}

TEST_CASE("what keeps one daemon from starting is taken to keep all, until one is up") {
  std::vector<Rank> ranks = ranks_of({State::starting, State::paused, State::starting});
  std::vector<Rank> proven = ranks;
  proven[2].state = State::up;

  give_up_unless_up(ranks);
  give_up_unless_up(proven);

  CHECK(all_are_over(ranks));
  CHECK(proven[0].state == State::starting);
  CHECK(proven[1].state == State::paused);
}
