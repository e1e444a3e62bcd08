#include "base/parcel.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "tests/parcels.h"

using namespace tenkai;
using namespace tenkai::tests;

namespace {

std::vector<std::string> values_in(std::string_view bytes) {
  std::vector<std::string> values;
  std::optional<Parcel> parcel = Parcel::in(bytes);
  for (std::uint64_t i = 0; parcel && i < parcel->count(); ++i) values.emplace_back((*parcel)[i]);
  return values;
}

}  // namespace

TEST_CASE("a parcel has the values that were put into it, also empty ones") {
  std::vector<std::string> values{"one", "", "three", ""};
  CHECK(values_in(parcel_of(values)) == values);
}

TEST_CASE("some values of a parcel are a parcel") {
  std::string bytes = parcel_of({"a", "bb", "", "dddd"});
  Parcel parcel = *Parcel::in(bytes);

  CHECK(values_in(view_of(parcel.slice(1, 3))) == std::vector<std::string>{"bb", "", "dddd"});
  CHECK(parcel.size_of(1, 3) == view_of(parcel.slice(1, 3)).size());
  CHECK(view_of(parcel.slice(0, 4)) == bytes);
}

TEST_CASE("what is no parcel is refused") {
  std::string good = parcel_of({"a", "bb"});
  std::string no_values(8, '\0');
  std::string too_many = good;
  too_many[too_many.size() - 8] = 9;
  std::string backwards = good;
  backwards[3] = 9;  // where "a" ends
  std::string ends_early = "x" + good;

  for (const std::string& bad : {std::string(), std::string("short"), no_values, too_many, backwards,
                                 ends_early, std::string(64, '\xff')}) {
    CHECK_FALSE(Parcel::in(bad).has_value());
  }
}
