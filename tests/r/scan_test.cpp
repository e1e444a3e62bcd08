// What the session looks through before R reads it: marks for objects that hooks make, and
// what the hooks are given behind the value.
#include "r/src/scan.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
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

// --- the numbers of large vectors, behind the value ---

namespace {

std::string real_number(double value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
std::string symbol(std::string_view name) { return number(1) + text(name); }

// A vector of so many elements whose block begins there.
std::string block(double length, double begin, std::string_view name = "block_real", std::int32_t type = 14,
                  std::string_view package = "tenkai") {
  return number(238) + number(2) + symbol(name) + number(2) + symbol(package) + number(2) + number(13) +
         number(1) + number(type) + null() + number(14) + number(2) + real_number(length) +
         real_number(begin) + null();
}

std::string with_blocks(std::string value, std::size_t size) {
  value.resize((value.size() + 4095) / 4096 * 4096);
  return value + std::string(size, 'x');
}

}  // namespace

TEST_CASE("blocks lie behind the value, each at the beginning of a page") {
  std::string value = header() + list(3) + block(100, 0) + block(9000, 4096, "block_raw", 24) +
                      block(2, 16384, "block_complex", 15);

  Verdict verdict = scan(with_blocks(value, 16384 + 32), Allowed::data, deepest);

  CHECK(std::string(verdict.reason).empty());
  CHECK(verdict.blocks == 4096);
  CHECK_FALSE(verdict.runs_code);
  CHECK(scan_any(header() + null()).blocks == 0);
}

TEST_CASE("blocks that are not where they should be are refused") {
  std::string one = header() + block(100, 0);
  REQUIRE(scan_any(with_blocks(one, 800)).is_good());
  CHECK_FALSE(scan_any(with_blocks(one, 799)).is_good());
  CHECK_FALSE(scan_any(with_blocks(one, 801)).is_good());
  CHECK_FALSE(scan_any(one).is_good());
  CHECK_FALSE(scan_any(one + std::string(800, 'x')).is_good());
  for (double begin : {-4096.0, 1.0, 4096.0, 1e300, std::nan("")})
    CHECK_FALSE(scan_any(with_blocks(header() + block(100, begin), 8192)).is_good());
  for (double length : {-1.0, 0.0, 100.5, 1e18, std::nan("")})
    CHECK_FALSE(scan_any(with_blocks(header() + block(length, 0), 800)).is_good());
  CHECK_FALSE(scan_any(header() + block(0, 0)).is_good());
  // Twice the same one, and one after another.
  CHECK_FALSE(scan_any(with_blocks(header() + list(2) + block(100, 0) + block(100, 0), 4896)).is_good());
  CHECK(scan_any(with_blocks(header() + list(2) + block(100, 0) + block(100, 4096), 4896)).is_good());
}

TEST_CASE("a block has the type of its class, and is ours") {
  auto reason_of = [](const std::string& vector) {
    return std::string(scan(with_blocks(header() + vector, 800), Allowed::data, deepest).reason);
  };
  CHECK(reason_of(block(100, 0)).empty());
  CHECK(reason_of(block(200, 0, "block_real", 13)).find("a vector of a package's own class") !=
        std::string::npos);
  CHECK(reason_of(block(100, 0, "block_real", 14, "other")).find("a vector of a package's own class") !=
        std::string::npos);
}

TEST_CASE("what hooks are given has no blocks") {
  std::string hooked = header() + null();
  std::string behind = header() + block(1, 0);
  behind.resize(4096);
  CHECK_FALSE(scan_any(hooked + behind + std::string(8, 'x')).is_good());
  CHECK_FALSE(scan_any(with_blocks(header() + block(100, 0), 800) + section).is_good());
}

// --- blocks that several values share ---

namespace {

// As block(), of one that lies behind the others, or elsewhere.
std::string shared_block(double length, double begin, double mark = 1) {
  std::string bytes = block(length, begin);
  std::string state = number(14) + number(2) + real_number(length) + real_number(begin);
  std::string longer = number(14) + number(3) + real_number(length) + real_number(begin) + real_number(mark);
  return bytes.replace(bytes.find(state), state.size(), longer);
}

std::vector<SharedBlock> elsewhere(std::vector<std::uint64_t> sizes) {
  std::vector<SharedBlock> blocks;
  for (std::uint64_t size : sizes) blocks.push_back({nullptr, 0, size});
  return blocks;
}

}  // namespace

TEST_CASE("shared blocks lie behind the others") {
  std::string value = header() + list(3) + shared_block(100, 0) + block(600, 0) + shared_block(2, 4096);

  Verdict verdict = scan(with_blocks(value, 8192 + 4096 + 16), Allowed::data, deepest);

  CHECK(std::string(verdict.reason).empty());
  CHECK(verdict.blocks == 4096);
  CHECK(verdict.shared == 4096 + 8192);
  CHECK_FALSE(scan_any(with_blocks(value, 8192 + 4096 + 15)).is_good());
  CHECK_FALSE(scan_any(with_blocks(value, 8192 + 4096 + 17)).is_good());
  Verdict alone = scan_any(with_blocks(header() + shared_block(100, 0), 800));
  CHECK(alone.is_good());
  CHECK(alone.shared == 4096);
}

TEST_CASE("shared blocks that are elsewhere are as long as their vectors, and all are used") {
  std::string value = header() + list(3) + shared_block(100, 0) + block(600, 0) + shared_block(2, 4096);
  auto is_good = [](const std::string& bytes, std::vector<std::uint64_t> sizes) {
    return scan(bytes, Allowed::data, deepest, elsewhere(std::move(sizes))).is_good();
  };
  std::string whole = with_blocks(value, 4800);
  CHECK(is_good(whole, {800, 16}));
  CHECK_FALSE(is_good(whole, {800}));
  CHECK_FALSE(is_good(whole, {800, 16, 16}));
  CHECK_FALSE(is_good(whole, {800, 24}));
  CHECK_FALSE(is_good(whole, {16, 800}));
  CHECK_FALSE(is_good(whole + "x", {800, 16}));
  CHECK_FALSE(is_good(value, {800, 16}));
  std::string alone = header() + shared_block(1e9, 0);
  CHECK(is_good(alone, {8'000'000'000}));
  CHECK_FALSE(is_good(alone + std::string(4096, '\0'), {8'000'000'000}));
  CHECK_FALSE(is_good(header() + null(), {8}));
  CHECK_FALSE(is_good(header() + block(1, 0), {8}));
}

TEST_CASE("a shared block that is not behind the one before, or is marked in another way, is refused") {
  for (double begin : {-4096.0, 1.0, 4096.0, 1e300, std::nan("")})
    CHECK_FALSE(scan_any(with_blocks(header() + shared_block(100, begin), 8192)).is_good());
  for (double length : {-1.0, 0.0, 100.5, 1e18, std::nan("")})
    CHECK_FALSE(scan(header() + shared_block(length, 0), Allowed::data, deepest, elsewhere({800})).is_good());
  for (double mark : {0.0, 2.0, std::nan("")})
    CHECK_FALSE(scan_any(with_blocks(header() + shared_block(100, 0, mark), 800)).is_good());
}
