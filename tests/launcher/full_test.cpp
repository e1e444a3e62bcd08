#include "launcher/launch/full.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/launcher/scaled_world.h"

using namespace tenkai;

namespace {

const LaunchTime noon{};

Launch failed(std::uint64_t number, FailureCause why = cause::submit_limit) {
  Launch launch(number, {0}, "Rscript", false, noon);
  launch.on_error(noon, why, "no");
  return launch;
}

}  // namespace

TEST_CASE("who launches as there is work tells once that there is no room, until there is some") {
  std::optional<Scaling> scaling(std::in_place, scaled_plan(up_to(8), 8), 0, Retries());
  Full full;
  Launch first = failed(1);
  Launch second = failed(2);
  Launch third = failed(3);
  Launch other = failed(4, cause::submit_refused);
  CHECK(full.news({&first, &second}, scaling).size() == 2);
  CHECK(full.news({&third, &other}, scaling) == std::vector<const Launch*>{&other});

  full.on_joined(first);
  CHECK(full.news({&third}, scaling).empty());
  Launch later(5, {0}, "Rscript", false, noon);
  full.on_joined(later);

  CHECK(full.news({&third}, scaling).size() == 1);
}

TEST_CASE("who asks for each launch is told each time that there is no room, spare slots or none") {
  LaunchPlan plan = scaled_plan(up_to(8), 8);
  plan.scale.reset();
  Launch first = failed(1);
  Launch second = failed(2);

  for (bool spare : {false, true}) {
    std::optional<Scaling> scaling;
    if (spare) scaling.emplace(plan, 4, with_more_memory());
    Full full;
    CHECK(full.news({&first}, scaling).size() == 1);
    CHECK(full.news({&second}, scaling).size() == 1);
  }
}
