// What the session looks through before R reads it: marks for objects that hooks make, and
// what the hooks are given behind the value.
#include "r/src/scan.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/catch.h"

using namespace tenkai;

namespace {

constexpr std::uint32_t deepest = 1000;

std::string number(std::int32_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// In version 2 of the format, which has no name of an encoding.
std::string header() { return "B\n" + number(2) + number(0x40202) + number(0x20300); }

std::string text(std::string_view words) {
  return number(9) + number(static_cast<std::int32_t>(words.size())) + std::string(words);
}
std::string mark(std::string_view kind) { return number(247) + number(0) + number(1) + text(kind); }
std::string list(std::int32_t length) { return number(19) + number(length); }
std::string null() { return number(254); }

// A function of no arguments that is NULL, in the environment that follows.
std::string function_in(const std::string& environment) {
  return number(3 | 1 << 10) + environment + null() + null();
}

const std::string section = header() + list(1) + number(24) + number(2) + "ab";

Verdict scan_any(const std::string& bytes) { return scan(bytes, Allowed::everything, deepest); }
std::string reason(const std::string& bytes) { return scan_any(bytes).reason; }

}  // namespace

TEST_CASE("marks are counted, and what their hooks are given is found behind the value") {
  std::string value = header() + list(3) + mark("p") + null() + mark("e");

  Verdict verdict = scan_any(value + section);

  CHECK(verdict.is_good());
  CHECK(verdict.made == 2);
  CHECK(verdict.section == value.size());
  CHECK(verdict.runs_code);
  CHECK_FALSE(verdict.must_enclose);
}

TEST_CASE("a value without marks may have something for hooks behind it") {
  Verdict verdict = scan_any(header() + null() + section);

  CHECK(verdict.is_good());
  CHECK(verdict.made == 0);
  CHECK(verdict.section > 0);
  CHECK(scan_any(header() + null()).section == 0);
}

TEST_CASE("a mark for which nothing follows is refused") {
  CHECK(reason(header() + mark("p")).find("something outside of it") != std::string::npos);
}

TEST_CASE("a mark of an unknown kind is refused") {
  for (const char* kind : {"", "x", "ee", "7"})
    CHECK_FALSE(scan_any(header() + mark(kind) + section).is_good());
  CHECK_FALSE(
      scan_any(header() + number(247) + number(0) + number(2) + text("p") + text("p") + section).is_good());
  CHECK_FALSE(
      scan_any(header() + number(247 | 1 << 9) + number(0) + number(1) + text("p") + section).is_good());
}

TEST_CASE("what hooks are given is data, and whole") {
  std::string value = header() + mark("p");

  CHECK_FALSE(scan_any(value + header() + function_in(number(253))).is_good());
  CHECK_FALSE(scan_any(value + header() + mark("p") + section).is_good());
  CHECK_FALSE(scan_any(value + section + section).is_good());
  for (std::size_t size = 1; size < section.size(); ++size) {
    CHECK_FALSE(scan_any(value + section.substr(0, size)).is_good());
  }
}

TEST_CASE("where nothing but data is let in there are no marks and nothing for hooks") {
  CHECK_FALSE(scan(header() + mark("p") + section, Allowed::data, deepest).is_good());
  CHECK_FALSE(scan(header() + null() + section, Allowed::data, deepest).is_good());
}

TEST_CASE("only what was an environment can be that of a function") {
  Verdict verdict = scan_any(header() + function_in(mark("e")) + section);

  CHECK(verdict.is_good());
  CHECK(verdict.must_enclose);
  CHECK_FALSE(scan_any(header() + function_in(mark("p")) + section).is_good());
}

TEST_CASE("a second function may refer to the environment that a hook makes for the first") {
  std::string again = number(1 << 8 | 255);
  std::string both = header() + list(2) + function_in(mark("e")) + function_in(again);
  std::string spoilt = header() + list(2) + mark("p") + function_in(again);

  CHECK(scan_any(both + section).is_good());
  CHECK_FALSE(scan_any(spoilt + section).is_good());
}
