#include "launcher/plugin/facts.h"

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("what a plugin tells of itself is read as it was written") {
  PluginFacts facts{
      "0.1.0", "Launches", {{"ssh", "nothing", "install it", true}, {"lib", "less", "too", false}}};

  Result<PluginFacts> read = parse_facts(encode(facts));

  REQUIRE(read);
  CHECK(*read == facts);
}

TEST_CASE("what is no such line is refused, and what is missing in one is empty") {
  for (std::string text : {"", "[]", "{", "yes"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_facts(text));
  }
  Result<PluginFacts> read = parse_facts(R"({"lacks":[1,{"what":"ssh\u001b[1m","mend":2}],"version":{}})");
  REQUIRE(read);
  CHECK(*read == PluginFacts{"", "", {{"ssh\\x1b[1m", "", "", true}}});
}
