#include "launcher/profile/place.h"

#include <algorithm>
#include <tuple>

namespace tenkai {

void sort_problems(Problems& problems) {
  auto key = [](const Problem& problem) {
    const Place& place = problem.place;
    return std::tie(place.file, place.at.line, place.at.column, problem.message);
  };
  std::sort(problems.begin(), problems.end(),
            [&](const Problem& a, const Problem& b) { return key(a) < key(b); });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
}

}  // namespace tenkai
