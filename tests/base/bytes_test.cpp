#include "base/bytes.h"

#include <string>

#include "tests/catch.h"

using namespace tenkai;

TEST_CASE("bytes hold what they were given") {
  Bytes bytes(std::string_view("a\0b", 3));

  CHECK(bytes.size() == 3);
  CHECK(bytes.view() == std::string_view("a\0b", 3));
}

TEST_CASE("no bytes need no memory") {
  Bytes bytes(std::string_view{});

  CHECK(bytes.empty());
  CHECK(bytes.data() == nullptr);
  CHECK(bytes.view().empty());
}

TEST_CASE("moved bytes leave nothing behind") {
  Bytes from(std::string_view("abc"));
  Bytes to = std::move(from);

  CHECK(to.view() == "abc");
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): it promises to be empty
}

TEST_CASE("more memory than there is becomes bad_alloc") {
  std::size_t too_much = std::size_t{1} << 62;

  CHECK_THROWS_AS(Bytes(too_much), std::bad_alloc);
}

TEST_CASE("a block of malloc is taken over without a copy") {
  char* block = static_cast<char*>(std::malloc(2));
  block[0] = 'h';
  block[1] = 'i';

  Bytes bytes = Bytes::adopt(block, 2);

  CHECK(bytes.data() == block);
  CHECK(bytes.view() == "hi");
}

TEST_CASE("a payload without bytes is null and can be asked all the same") {
  Payload none = make_payload("");

  CHECK(none == nullptr);
  CHECK(size_of(none) == 0);
  CHECK(view_of(none).empty());
  CHECK(view_of(make_payload("abc")) == "abc");
}
