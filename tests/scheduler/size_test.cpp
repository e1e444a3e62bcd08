#include "scheduler/size.h"

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("a factor is a number behind an x") {
  CHECK(parse_factor("x2") == 200);
  CHECK(parse_factor("x1.5") == 150);
  CHECK(parse_factor("x1.05") == 105);
  CHECK(parse_factor("x16") == 1600);
  for (std::string_view bad : {"", "x", "2", "x1", "x1.0", "x0.5", "x16.01", "x17", "x-2", "x+2", "x2.",
                               "x.5", "x1.234", "x2 ", "xx2", "x1e1", "x99999999999", "x1.-5"}) {
    CAPTURE(bad);
    CHECK(!parse_factor(bad));
  }
}

TEST_CASE("factors are told as one would say them") {
  CHECK(times_as_much(200, "memory") == "twice the memory");
  CHECK(times_as_much(150, "time") == "1.5 times the time");
  CHECK(times_as_much(105, "time") == "1.05 times the time");
  CHECK(times_as_much(400, "memory") == "4 times the memory");
}

TEST_CASE("one size covers another where it is as large in both") {
  CHECK(covers({}, {}));
  CHECK(covers({2, 1}, {1, 1}));
  CHECK_FALSE(covers({2, 0}, {1, 1}));
  CHECK_FALSE(covers({0, 1}, {1, 1}));
}
