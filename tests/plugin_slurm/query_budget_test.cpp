#include "plugins/slurm/query_budget.h"

#include <vector>

#include "plugins/slurm/watch_plan.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::slurm;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const SlurmTime noon = SlurmTime(std::chrono::hours(12));

}  // namespace

TEST_CASE("four queries may be made at once, and one more every half minute") {
  QueryBudget budget;
  for (int i = 0; i < 4; ++i) {
    CHECK(budget.allows(noon));
    budget.take(noon);
  }

  CHECK_FALSE(budget.allows(noon));
  CHECK(budget.next(noon) == noon + seconds(30));
  CHECK_FALSE(budget.allows(noon + seconds(29)));
  CHECK(budget.allows(noon + seconds(30)));
  budget.take(noon + seconds(30));
  CHECK_FALSE(budget.allows(noon + seconds(31)));

  for (int i = 0; i < 4; ++i) {
    CHECK(budget.allows(noon + minutes(10)));
    budget.take(noon + minutes(10));
  }
  CHECK_FALSE(budget.allows(noon + minutes(10)));
}

TEST_CASE("submissions keep to a site's limit") {
  SubmissionTimes times;
  for (int i = 0; i < 3; ++i) {
    CHECK(times.next(noon + seconds(i), 3) == noon + seconds(i));
    times.take(noon + seconds(i));
  }

  CHECK(times.next(noon + seconds(5), 3) == noon + seconds(60));
  CHECK(times.next(noon + seconds(61), 3) == noon + seconds(61));
  CHECK(times.next(noon + seconds(5), 0) == noon + seconds(5));
}

TEST_CASE("the points at which is asked lie further and further apart") {
  WatchPlan plan{minutes(1), minutes(2), minutes(5), minutes(10)};
  std::vector<long> asked;
  SlurmTime last{};
  for (int i = 0; i < 7; ++i) {
    last = plan.next(noon, last);
    asked.push_back(std::chrono::duration_cast<minutes>(last - noon).count());
  }

  CHECK(asked == std::vector<long>{1, 2, 5, 10, 40, 70, 100});
}

TEST_CASE("a query that was made for another job counts, if it was not long before") {
  WatchPlan plan{minutes(1), minutes(2)};

  CHECK(plan.next(noon, noon + seconds(29)) == noon + minutes(1));
  CHECK(plan.next(noon, noon + seconds(31)) == noon + minutes(2));
  CHECK(plan.next(noon, noon + minutes(16)) == noon + minutes(32));
  CHECK(plan.next(noon, noon + minutes(18)) == noon + minutes(62));
}

TEST_CASE("a plan can begin at once") {
  WatchPlan plan{seconds(0), seconds(30)};

  CHECK(plan.next(noon, noon - seconds(1)) == noon);
  CHECK(plan.next(noon, noon) == noon + seconds(30));
}
