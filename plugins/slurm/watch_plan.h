// When Slurm is to be asked about a job: not at fixed intervals, but at points of
// time that lie further and further apart, counted from when there was reason to.
//
// One query answers for all jobs, so a point is passed, too, by a query that was made
// for another job well before it. A thousand jobs with a point every half hour, each
// at another minute, then need two queries an hour, and not a thousand.
#pragma once

#include <chrono>
#include <initializer_list>
#include <vector>

#include "plugins/slurm/query_budget.h"

namespace tenkai::slurm {

class WatchPlan {
 public:
  // Ascending; after the last one, every half hour.
  explicit WatchPlan(std::initializer_list<std::chrono::seconds> points) : points_(points) {}

  // The first point that the last query, made at `asked`, does not answer for.
  SlurmTime next(SlurmTime since, SlurmTime asked) const {
    std::chrono::seconds before{0};
    for (std::chrono::seconds point : points_) {
      if (asked < since + (point - (point - before) / 2)) return since + point;
      before = point;
    }
    constexpr std::chrono::minutes step{30};
    // How many whole steps the query answers for.
    auto answered = std::chrono::duration_cast<std::chrono::seconds>(asked - (since + before)) + step / 2;
    return since + before + step * (answered / std::chrono::seconds(step) + 1);
  }

 private:
  std::vector<std::chrono::seconds> points_;
};

}  // namespace tenkai::slurm
