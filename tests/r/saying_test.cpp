#include "r/src/saying.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/parcel.h"
#include "tests/catch.h"
#include "tests/parcels.h"

using namespace tenkai;
using namespace tenkai::tests;

namespace {

std::string value(unsigned char kind, std::uint64_t place, const std::string& what) {
  std::string bytes(1, static_cast<char>(kind));
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(place >> (8 * i));
  return bytes + what;
}

Frame said(std::uint64_t number, const std::vector<std::string>& values, std::uint32_t attempt = 1) {
  Frame frame(Type::said);
  frame.task = 100;
  frame.attempt = attempt;
  frame.with(Key::number, number);
  frame.payload = make_payload(parcel_of(values));
  return frame;
}

// As one reads them: "1 100 text".
std::vector<std::string> all(Sayings& sayings) {
  std::vector<std::string> taken;
  while (std::optional<Saying> saying = sayings.take()) {
    taken.push_back(std::to_string(static_cast<int>(saying->kind)) + " " + std::to_string(saying->task) +
                    (saying->bytes.empty() ? "" : " " + saying->bytes));
  }
  return taken;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what tasks say is heard in order, up to their end") {
  Sayings sayings;
  CHECK(sayings.empty());
  sayings.add(said(1, {value(1, 0, "one"), value(2, 3, "two")}), 100);
  sayings.add(said(2, {value(8, 0, "three")}), 100);
  sayings.end(100);
  CHECK(!sayings.empty());
  CHECK(all(sayings) == Texts{"1 100 one", "2 103 two", "8 100 three", "32 100"});
  CHECK(sayings.empty());
}

TEST_CASE("a frame that is missing is told, and another attempt begins anew") {
  Sayings sayings;
  sayings.add(said(1, {value(1, 0, "one")}), 100);
  sayings.add(said(3, {value(1, 0, "three")}), 100);
  sayings.add(said(1, {value(1, 0, "again")}, 2), 100);
  sayings.add(said(2, {value(1, 0, "late")}, 3), 100);
  CHECK(all(sayings) == Texts{"1 100 one", "16 100", "1 100 three", "1 100 again", "16 100", "1 100 late"});
}

TEST_CASE("what is no saying is not heard") {
  Sayings sayings;
  Frame broken(Type::said);
  broken.payload = make_payload("no parcel");
  sayings.add(broken, 100);
  sayings.add(
      said(1, {"", "short", value(0, 0, "x"), value(16, 0, "x"), value(32, 0, "x"), value(3, 0, "x"),
               value(255, 0, "x"), value(1, max_in_parcel, "x"), value(1, UINT64_MAX, "x"), value(1, 0, "")}),
      100);
  CHECK(all(sayings).empty());
}

TEST_CASE("no more than 16 MiB wait to be heard") {
  Sayings sayings;
  std::string much(1 << 20, 'x');
  for (std::uint64_t i = 1; i <= 20; ++i) sayings.add(said(i, {value(1, 0, much)}), 100);
  CHECK(all(sayings).size() == 17);  // and that more is left out, once
  sayings.add(said(21, {value(1, 0, "heard")}), 100);
  CHECK(all(sayings) == Texts{"1 100 heard"});
}
