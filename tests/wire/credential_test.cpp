#include "wire/credential.h"

#include <openssl/sha.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "tests/catch.h"
#include "wire/base64url.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

Credential of_slot() {
  Credential credential;
  for (std::size_t i = 0; i < 16; ++i) credential.id[i] = static_cast<unsigned char>(i);
  for (std::size_t i = 0; i < 32; ++i) credential.token.data()[i] = static_cast<unsigned char>(i);
  credential.pin.emplace().fill('p');
  credential.urls = {"wss://login1:37955/1", "wss://10.75.32.90:37955/1"};
  credential.not_after = 1893456000;
  return credential;
}

bool same(const Credential& one, const Credential& other) {
  return one.id == other.id && one.token == other.token && one.pin == other.pin && one.urls == other.urls &&
         one.not_after == other.not_after && one.uses == other.uses && one.ranks == other.ranks;
}

std::string refusal_of(std::string_view text) {
  Result<Credential> credential = parse_credential(text);
  return credential ? "" : credential.error().message;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The line as someone would make it who knows the format but not the rules.
std::string line_of(std::string bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  bytes.append(reinterpret_cast<const char*>(digest), 4);
  std::string line;
  encode_base64url(bytes, line);
  return line;
}

std::string bytes_of(const Credential& credential) {
  std::string bytes;
  REQUIRE(decode_base64url(encode(credential), bytes));
  return bytes.substr(0, bytes.size() - 4);
}

}  // namespace

TEST_CASE("a credential survives being written and read") {
  Credential slot = of_slot();
  Credential job = of_slot();
  job.uses = 3;
  job.ranks = 0xFFFFFFFF;
  Credential plain = of_slot();
  plain.pin.reset();
  plain.urls.clear();
  plain.not_after = 0;
  plain.uses = 0;

  for (const Credential* credential : {&slot, &job, &plain}) {
    Result<Credential> again = parse_credential(encode(*credential));

    REQUIRE(again.has_value());
    CHECK(same(*again, *credential));
  }
}

TEST_CASE("a credential is one line that begins like every credential") {
  std::string line = encode(of_slot());

  CHECK(line.substr(0, 8) == "dGVua2Fp");
  CHECK(line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);
}

TEST_CASE("the format of a credential has not changed") {
  std::ifstream file(TENKAI_TEST_DATA "/fuzz/credential/line", std::ios::binary);
  std::string line{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  line.erase(0, 1);  // is for the fuzzer

  Result<Credential> credential = parse_credential(line);

  REQUIRE(credential.has_value());
  CHECK(same(*credential, of_slot()));
  CHECK(encode(of_slot()) == line);
}

TEST_CASE("a credential may be surrounded by spaces, and wrapped") {
  std::string line = encode(of_slot());
  std::string wrapped =
      "\n \t" + line.substr(0, 5) + "\r\n" + line.substr(5, 80) + "\n  " + line.substr(85) + "  \r\n";

  Result<Credential> credential = parse_credential(wrapped);

  REQUIRE(credential.has_value());
  CHECK(same(*credential, of_slot()));
}

TEST_CASE("what is no credential is called so") {
  for (const char* text : {"", "  \n", "dGVua2F", "hello", "-----BEGIN CERTIFICATE-----", "DGVUA2FPAAAA"}) {
    INFO(text);
    CHECK(contains(refusal_of(text), "no credential"));
  }
}

TEST_CASE("a credential of which anything is missing or changed is damaged") {
  std::string line = encode(of_slot());
  for (std::size_t size = 8; size < line.size(); ++size) {
    INFO(size);
    CHECK(contains(refusal_of(line.substr(0, size)), "damaged"));
  }
  for (std::size_t at = 8; at < line.size(); ++at) {
    std::string changed = line;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    INFO(at);
    CHECK(contains(refusal_of(changed), "damaged"));
  }
  CHECK(contains(refusal_of(line + "AAAA"), "damaged"));
  CHECK(contains(refusal_of(line + "!"), "damaged"));
  CHECK(contains(refusal_of(line + " TENKAI"), "damaged"));
}

TEST_CASE("a credential that is whole but not as we write them is refused") {
  std::string bytes = bytes_of(of_slot());
  REQUIRE(parse_credential(line_of(bytes)).has_value());

  CHECK(contains(refusal_of(line_of(bytes + '\0')), "something follows"));
  CHECK(contains(refusal_of(line_of(bytes.substr(0, bytes.size() - 1))), "ends too early"));
  std::string other_flag = bytes;
  other_flag[6 + 1 + 16 + 32] = 2;
  CHECK(contains(refusal_of(line_of(other_flag)), "does not know"));
}

TEST_CASE("a credential of another version asks for the same one at both ends") {
  std::string bytes = bytes_of(of_slot());
  bytes[6] = 2;

  CHECK(contains(refusal_of(line_of(bytes)), "another version"));
}

TEST_CASE("a credential without a token is refused") {
  Credential forgotten = of_slot();
  std::string bytes = bytes_of(forgotten);
  std::fill_n(bytes.begin() + 6 + 1 + 16, 32, '\0');
  CHECK(contains(refusal_of(line_of(bytes)), "no token"));

  Secret elsewhere = std::move(forgotten.token);
  CHECK_FALSE(check_credential(forgotten).has_value());
}

TEST_CASE("a credential whose urls cannot be dialled is refused") {
  std::string bytes = bytes_of(of_slot());
  bytes.replace(bytes.find("wss://10"), 8, "http://1");

  std::string refusal = refusal_of(line_of(bytes));

  CHECK(contains(refusal, "url 2"));
  CHECK_FALSE(contains(refusal, "http"));
}

TEST_CASE("a credential has a limited number of limited urls") {
  Credential many = of_slot();
  many.urls.assign(64, "tcp://host:1");
  REQUIRE(check_credential(many).has_value());
  CHECK(parse_credential(encode(many)).has_value());
  many.urls.emplace_back("tcp://host:1");
  CHECK_FALSE(check_credential(many).has_value());

  Credential longest = of_slot();
  std::string start = "ws://host:1/";
  longest.urls.assign(5, start + std::string(512 - start.size(), 'a'));
  REQUIRE(check_credential(longest).has_value());
  CHECK(parse_credential(encode(longest)).has_value());
  longest.urls.assign(1, longest.urls[0] + "a");
  CHECK_FALSE(check_credential(longest).has_value());
}

TEST_CASE("urls that do not fit into a line are known before there is one") {
  Credential credential = of_slot();
  credential.urls.assign(7, "ws://host:1/" + std::string(500, 'a'));

  Result<Done> fits = check_credential(credential);

  REQUIRE_FALSE(fits.has_value());
  CHECK(contains(fits.error().message, "too long"));
}

TEST_CASE("a text longer than any credential is not looked at") {
  CHECK(contains(refusal_of(std::string(4097, ' ')), "longer than"));
  CHECK(contains(refusal_of(encode(of_slot()) + std::string(4096, '\n')), "longer than"));
}

TEST_CASE("the beginning of a credential is told from that of anything else") {
  std::string line = "\n  dGVu\na2Fp and whatever follows";
  for (std::size_t size = 0; size <= line.size(); ++size) CHECK(may_begin_credential(line.substr(0, size)));

  for (const char* text : {"x", "dGVua2F1", " \nd_", "dgvua2fp"}) {
    INFO(text);
    CHECK_FALSE(may_begin_credential(text));
  }
  CHECK_FALSE(may_begin_credential(std::string_view("\0", 1)));
}

TEST_CASE("a credential expires at the second it names, or never") {
  std::chrono::system_clock::time_point noon(1'893'456'000s);
  Credential credential = of_slot();

  CHECK_FALSE(is_expired(credential, noon - 1ms));
  CHECK(is_expired(credential, noon));
  CHECK_FALSE(is_expired(credential, std::chrono::system_clock::time_point(-1s)));
  credential.not_after = 0;
  CHECK_FALSE(is_expired(credential, noon));
  credential.not_after = UINT64_MAX;
  CHECK_FALSE(is_expired(credential, noon));
}

// Made with Python's hmac.
TEST_CASE("each rank of a job has a token of its own") {
  Secret token = of_slot().token;
  auto begins_with = [](const Secret& secret, std::initializer_list<int> bytes) {
    return std::equal(bytes.begin(), bytes.end(), secret.data());
  };

  CHECK(begins_with(rank_token(token, 0), {0x5f, 0x99, 0x13, 0x70, 0x64, 0xc1, 0xfb, 0x76}));
  CHECK(begins_with(rank_token(token, 1), {0xa6, 0xeb, 0x45, 0x4a, 0xbc, 0xb6, 0x1b, 0xdf}));
  CHECK(begins_with(rank_token(token, 0xFFFFFFFF), {0x1e, 0x6b, 0x1f, 0x34, 0x85, 0xac, 0x2d, 0x28}));
}
