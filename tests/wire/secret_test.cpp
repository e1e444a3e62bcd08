#include "wire/secret.h"

#include <algorithm>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "tests/catch.h"

using namespace tenkai;

namespace {

// HMAC fills a short key up with zeros, so the published keys can be secrets.
Secret secret_of(std::string_view bytes) {
  Secret secret;
  std::copy(bytes.begin(), bytes.end(), secret.data());
  return secret;
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}
std::string hex(const Secret& secret) { return hex(secret.data(), secret.size()); }
std::string hex(const Mac& code) { return hex(code.data(), code.size()); }

std::string counted() {
  std::string bytes(Secret::length, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i);
  return bytes;
}

}  // namespace

TEST_CASE("a secret goes nowhere by accident") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Secret>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Secret>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret, std::string>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret, std::string_view>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<Secret::View, Secret>);
}

TEST_CASE("a secret that was moved from is wiped") {
  Secret one = secret_of(counted());

  Secret other = std::move(one);

  CHECK(other == secret_of(counted()));
  CHECK(one == Secret());  // NOLINT(bugprone-use-after-move)
  one = std::move(other);
  CHECK(one == secret_of(counted()));
  CHECK(other == Secret());  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("a secret that was moved to itself is still there") {
  Secret one = secret_of(counted());
  Secret& same = one;

  one = std::move(same);

  CHECK(one == secret_of(counted()));
}

TEST_CASE("a secret that died is wiped") {
  alignas(Secret) unsigned char room[sizeof(Secret)];
  auto* secret = new (room) Secret(secret_of(counted()));
  REQUIRE(room[31] == 31);

  std::destroy_at(secret);

  CHECK(std::all_of(std::begin(room), std::end(room), [](unsigned char c) { return c == 0; }));
}

TEST_CASE("a copy is asked for, and is another value") {
  Secret one = secret_of(counted());
  Secret two = one.copy();
  two.data()[0] = 9;

  CHECK_FALSE(one == two);
  CHECK(one == secret_of(counted()));
}

TEST_CASE("random secrets are not the same") {
  Result<Secret> one = Secret::random();
  Result<Secret> two = Secret::random();

  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  CHECK_FALSE(*one == *two);
  CHECK_FALSE(*one == Secret());
}

TEST_CASE("text that is wiped is empty, and so is the room it had") {
  std::string text = "a secret long enough to be on the heap, where it would stay";
  const char* room = text.data();
  std::size_t size = text.size();

  wipe(text);

  CHECK(text.empty());
  CHECK(std::all_of(room, room + size, [](char c) { return c == 0; }));
}

// RFC 4231, cases 1 and 2.
TEST_CASE("mac() is HMAC-SHA256") {
  CHECK(hex(mac(secret_of(std::string(20, '\x0b')), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(mac(secret_of("Jefe"), "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("two codes are the same when all of their bytes are") {
  Mac code = mac(secret_of("key"), "text");
  Mac other = code;
  CHECK(is_same(code, other));
  other.back() ^= 1;
  CHECK_FALSE(is_same(code, other));
}

// RFC 5869: extract with the salt as key, then expand with the counter 1.
TEST_CASE("derive() is HKDF-SHA256") {
  Secret key = secret_of(counted());
  std::string key_bytes = counted();

  for (std::string salt : {"", "salt"}) {
    for (std::string info : {"", "info"}) {
      Mac extracted = mac(secret_of(salt), key_bytes);
      Mac expected = mac(Secret(Secret::View(extracted)), info + '\1');

      CHECK(hex(derive(key, salt, info)) == hex(expected));
    }
  }
}

TEST_CASE("derive() gives what Python's hmac gives") {
  CHECK(hex(derive(secret_of(counted()), "salt", "info")) ==
        "64cc2a23b7a1da4310420350405fdf5d632cb9bda3700d753e96cbcfeb81d449");
  CHECK(hex(derive(secret_of(counted()), {}, {})) ==
        "37ad29109f43265287804b674e2653d0a513718907f97fca97c95bded8104bbf");
  CHECK(hex(derive(secret_of(counted()), std::string(64, 'n'), "tenkai 1 listener")) ==
        "facc2e3896e559d387e54dde8610b5fc9976ca57165f2e94b1450759ded10bf4");
}
