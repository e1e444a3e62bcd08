#include "process/restarts.h"

#include <chrono>
#include <optional>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

constexpr Restarts::Time noon{};

std::vector<std::optional<std::chrono::milliseconds>> pauses_of(Restarts& restarts, int ends) {
  std::vector<std::optional<std::chrono::milliseconds>> pauses;
  for (int i = 0; i < ends; ++i) pauses.push_back(restarts.on_ended(noon + 1s, noon, false));
  return pauses;
}

}  // namespace

TEST_CASE("what ends with nothing done is started again at once, then after longer and longer pauses") {
  Restarts restarts;

  CHECK(pauses_of(restarts, 6) ==
        std::vector<std::optional<std::chrono::milliseconds>>{0ms, 1s, 5s, 30s, 120s, std::nullopt});
}

TEST_CASE("what never came up counts as one that did nothing") {
  Restarts restarts;
  restarts.on_ended(noon, std::nullopt, false);

  CHECK(restarts.on_ended(noon, std::nullopt, false) == 1s);
}

TEST_CASE("what dies of its task is started again at once, however often") {
  Restarts restarts;

  for (int i = 0; i < 1000; ++i) REQUIRE(restarts.on_ended(noon, noon, true) == 0ms);
}

TEST_CASE("one that has worked, or lived for a while, ends a row of failures") {
  Restarts restarts;
  pauses_of(restarts, 4);
  CHECK(restarts.on_ended(noon, noon, true) == 0ms);
  CHECK(restarts.on_ended(noon, std::nullopt, false) == 0ms);
  pauses_of(restarts, 4);
  CHECK(restarts.on_ended(noon + 30s, noon, false) == 0ms);
  CHECK(restarts.failures() == 0);
}
