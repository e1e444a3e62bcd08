#include "wire/record_check.h"

#include <string>

#include "tests/catch.h"

using namespace tenkai;

namespace {

// A record whose message says that it is `message` bytes long.
std::string record(char type, std::size_t size, std::size_t message) {
  std::string bytes{type, 3, 1, static_cast<char>(size >> 8), static_cast<char>(size)};
  bytes += {1, static_cast<char>(message >> 16), static_cast<char>(message >> 8), static_cast<char>(message)};
  bytes.resize(5 + size, 'x');
  return bytes;
}
std::string hello(std::size_t size) { return record(22, size, size - 4); }

// The same, byte by byte.
bool accepts_bytes(const std::string& bytes) {
  RecordCheck check;
  for (char byte : bytes) {
    if (!check.accept({&byte, 1})) return false;
  }
  return true;
}
bool accepts(const std::string& bytes) {
  bool whole = RecordCheck().accept(bytes);
  CHECK(accepts_bytes(bytes) == whole);
  return whole;
}

}  // namespace

TEST_CASE("a message of the handshake that ends with its record is passed on", "[T7]") {
  CHECK(accepts(""));
  CHECK(accepts(hello(4)));
  CHECK(accepts(hello(517)));
  CHECK(accepts(hello(16384)));
  CHECK(accepts(hello(517) + record(20, 10, 0) + hello(600)));
}

TEST_CASE("a message that is announced to be longer than its record is not waited for", "[T7]") {
  CHECK(!accepts(record(22, 16368, 131072)));
  CHECK(!accepts(record(22, 517, 514)));
  CHECK(!accepts(record(22, 517, 0)));
  // Eleven bytes are enough.
  CHECK(!accepts(record(22, 16368, 131072).substr(0, 11)));
  // Behind a first one that asks for another group, and behind early data.
  CHECK(!accepts(hello(517) + record(22, 16368, 131072)));
  CHECK(!accepts(hello(517) + record(23, 900, 0) + record(22, 16368, 131072)));
}

TEST_CASE("a record in which no message can begin is refused", "[T7]") {
  CHECK(!accepts(std::string("\x16\x03\x01\0\x01\x01", 6)));
  CHECK(!accepts(std::string("\x16\x03\x01\0\0", 5)));
}

TEST_CASE("what is no handshake is left to OpenSSL", "[T7]") {
  CHECK(accepts("GET / HTTP/1.1\r\n\r\n"));
  CHECK(accepts(record(21, 2, 0)));
  CHECK(accepts(record(23, 16384, 131072)));
}
