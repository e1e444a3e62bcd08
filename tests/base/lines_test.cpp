#include "base/lines.h"

#include <string>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;

namespace {

std::vector<std::string> seen_in(std::string_view text) {
  std::vector<std::string> seen;
  Result<Done> read = read_lines(text, [&](std::string_view key, const std::string& value) -> Result<Done> {
    if (key == "stop") return Error{"stopped"};
    seen.push_back(std::string(key) + "|" + value);
    return Done{};
  });
  if (!read) seen.push_back(read.error().message);
  return seen;
}

}  // namespace

TEST_CASE("any text is a value of a line, and of a row") {
  for (std::string value : {"", "a=b", "two\nlines\r\n", "100%0A\t", "%", "%2", "%25", "\t\t"}) {
    CAPTURE(value);
    CHECK(escape_line(value).find_first_of("\n\r\t") == std::string::npos);
    CHECK(unescape_line(escape_line(value)) == value);
    CHECK(seen_in(line_of("key", value)) == std::vector<std::string>{"key|" + value});
    std::string row = row_of({"first", value, "last"});
    REQUIRE(row.find('\n') == row.size() - 1);
    CHECK(read_row(row.substr(0, row.size() - 1)) == std::vector<std::string>{"first", value, "last"});
  }
  CHECK(unescape_line("%4%") == "%4%");
}

TEST_CASE("lines are read in their order, until one is refused") {
  CHECK(seen_in("").empty());
  CHECK(seen_in("a=1\n\nb=2=3\na=4") == std::vector<std::string>{"a|1", "b|2=3", "a|4"});
  CHECK(seen_in("word\n=x") == std::vector<std::string>{"word|", "|x"});
  CHECK(seen_in("a=1\nstop\nb=2") == std::vector<std::string>{"a|1", "stopped"});
}
