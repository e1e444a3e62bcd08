// Which versions work together (docs/releasing.md).
#include "base/version.h"

#include <string_view>

#include "tests/catch.h"

using tenkai::works_with;

TEST_CASE("patch versions of one release work together, in either direction") {
  CHECK(works_with("0.1.0", "0.1.0"));
  CHECK(works_with("0.1.0", "0.1.12"));
  CHECK(works_with("0.1.12", "0.1.0"));
  CHECK(works_with("12.30.1", "12.30.2"));
}

TEST_CASE("other releases do not work together") {
  CHECK_FALSE(works_with("0.1.0", "0.2.0"));
  CHECK_FALSE(works_with("1.1.0", "0.1.0"));
  CHECK_FALSE(works_with("0.1.0", "0.10.0"));
  CHECK_FALSE(works_with("0.10.0", "0.1.0"));
}

TEST_CASE("what is no version works with nothing, not even with itself") {
  auto text = GENERATE(as<std::string_view>{}, "", "0", "0.1", "0.1.", ".1.0", "0..0", "0.1.0.0", "0.1.0-dev",
                       "v0.1.0", " 0.1.0", "0.1.0\n", "0.1.x", "0.-1.0", "0.1.99999999999");
  CAPTURE(text);
  CHECK_FALSE(works_with("0.1.0", text));
  CHECK_FALSE(works_with(text, text));
}

TEST_CASE("this program works with itself") {
  CHECK(works_with(tenkai::program_version, tenkai::program_version));
}
