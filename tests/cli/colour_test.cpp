#include "cli/colour.h"

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("colours are for terminals that know them, and for whom has not said no") {
  CHECK(is_coloured("auto", true, "xterm", nullptr));
  CHECK(is_coloured("auto", true, "xterm", ""));
  CHECK_FALSE(is_coloured("auto", true, "xterm", "1"));
  CHECK_FALSE(is_coloured("auto", false, "xterm", nullptr));
  CHECK_FALSE(is_coloured("auto", true, "dumb", nullptr));
  CHECK_FALSE(is_coloured("auto", true, nullptr, nullptr));
}

TEST_CASE("who asks for colours, or for none, is obeyed wherever it is") {
  CHECK(is_coloured("always", false, nullptr, "1"));
  CHECK_FALSE(is_coloured("never", true, "xterm", nullptr));
}
