// Bytes that lie, break off or never come, before anybody has proved anything.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/random_hex.h"
#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/siege.h"
#include "tests/system/tls_peer.h"
#include "tests/wire/handshake_by_hand.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t GiB = std::uint64_t{1} << 30;
constexpr std::size_t a_sentence = 512;

// A head that announces what does not follow. The numbers are little endian.
std::string head(Type type, std::uint64_t attributes, std::uint64_t payload, std::uint32_t stream = 0,
                 std::uint32_t place = 0) {
  Frame frame(type);
  frame.stream = stream;
  std::string bytes = encode_head(frame);
  auto put = [&](std::size_t at, std::size_t size, std::uint64_t number) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<char>(number >> (8 * i));
  };
  put(4, 4, attributes);
  put(8, 8, payload);
  put(40, 4, stream);
  put(44, 4, place);
  return bytes;
}

std::string greeting() { return encode_head(hello_by_hand(Role::agent, {}, 0, program_version)); }

std::string changed(std::string bytes, std::size_t at, char to) {
  bytes[at] = to;
  return bytes;
}

struct Lie {
  std::string name;
  std::string bytes;
};

// Each is to be answered by the end of the connection, at once.
std::vector<Lie> lies() {
  std::string many_attributes = head(Type::hello, 4096, 0);
  for (int i = 0; i < 1024; ++i) many_attributes += std::string("\x01\0\0\0", 4);
  std::string streams;
  for (std::uint32_t i = 1; i <= 5000; ++i) streams += head(Type::hello, 0, 4096, i);
  return {
      {"3 GiB of payload", head(Type::hello, 0, 3 * GiB)},
      {"4 KiB and a byte of payload", head(Type::hello, 0, 4097)},
      {"2^64 - 1 bytes of payload", head(Type::hello, 0, ~std::uint64_t{0})},
      {"no bytes at all", head(Type::hello, 0, 0)},
      {"2^32 - 1 bytes of attributes", head(Type::hello, 0xFFFFFFFF, 0)},
      {"60 KiB of attributes", head(Type::hello, 60 * 1024, 0) + std::string(60 * 1024, '\0')},
      {"a thousand empty attributes", many_attributes},
      {"a payload of 3 GiB in segments", head(Type::hello, 0, 3 * GiB, 1)},
      {"five thousand payloads of 4 KiB in segments", streams},
      {"a segment of nothing", head(Type::segment, 0, 1024, 7) + std::string(1024, 'x')},
      {"a payload in a file", head(Type::hello, 0, 4096, 0, 1)},
      {"a payload in a place that does not exist", head(Type::hello, 0, 4096, 0, 9)},
      {"another magic", changed(greeting(), 0, 'X')},
      {"another version of frames", changed(greeting(), 2, 9)},
      {"a type that does not exist", changed(greeting(), 3, '\x7f')},
      {"a session's first word", encode_head(hello(Role::session, ""))},
      {"a task", encode_head(Frame(Type::task))},
      {"a result", encode_head(Frame(Type::finished))},
      {"a PROOF", encode_head(Frame(Type::proof).with(Key::proof, std::string(32, 'x')))},
      {"an HTTP request", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"a TLS ClientHello",
       std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + random_bytes(506)},
      {"a TLS ClientHello of 128 KiB", std::string("\x16\x03\x01\x3f\xf0\x01\x02\x00\x00\x03\x03", 11)},
      {"an SSH client", "SSH-2.0-OpenSSH_9.2p1\r\n"},
      {"noise", random_bytes(4096)},
  };
}

// Whether the other end hangs up at once, with a sentence at most.
void check_hangs_up(TestPeer& peer, const Lie& lie) {
  INFO(lie.name);
  // It may hang up before it has heard all.
  (void)thrown([&] { peer.send_bytes(lie.bytes); });
  std::size_t answered = a_sentence;
  CHECK(thrown([&] { answered = bytes_until_end(peer, 3s); }) == "nothing");
  CHECK(answered < a_sentence);
}

bool is_open(const TestPeer& peer) {
  pollfd state{peer.descriptor(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 0;
}

void hang_up_with_reset(TestPeer& peer) {
  linger at_once{1, 0};
  ::setsockopt(peer.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  peer.close();
}

}  // namespace

TEST_CASE("who lies about lengths, or speaks something else, is hung up on at once", "[T7]") {
  SECTION("at a port of tcp") {
    Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
    siege.while_it_works([&] {
      for (const Lie& lie : lies()) {
        TestPeer liar = TestPeer::dial(siege.url(2));
        check_hangs_up(liar, lie);
      }
    });
    CHECK(siege.dispatcher->status()[2][2] == "0");
    siege.let_in(2);
  }
  SECTION("at a local socket") {
    Siege siege({"tcp://127.0.0.1:0", "abstract://" + random_hex(12)});
    siege.while_it_works([&] {
      for (const Lie& lie : lies()) {
        TestPeer liar = TestPeer::dial(siege.url(2));
        check_hangs_up(liar, lie);
      }
    });
    CHECK(siege.dispatcher->status()[2][2] == "0");
  }
  SECTION("within TLS") {
    Siege siege({"tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"});
    siege.while_it_works([&] {
      for (const Lie& lie : lies()) {
        auto liar = TlsPeer::dial(siege.port(2));
        REQUIRE(liar->failure() == "");
        check_hangs_up(liar->stream, lie);
      }
    });
    siege.let_in(2);
  }
  SECTION("at a port of TLS") {
    Siege siege({"tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"});
    siege.while_it_works([&] {
      for (const Lie& lie : lies()) {
        // A true beginning of TLS, which the noise behind it belies, may be waited for.
        if (lie.name == "a TLS ClientHello") continue;
        TestPeer liar = TestPeer::dial(siege.url(2));
        check_hangs_up(liar, lie);
      }
    });
    siege.let_in(2);
  }
}

TEST_CASE("lies after a CHALLENGE are no better than before", "[T7]") {
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});

  siege.while_it_works([&] {
    for (const Lie& lie : lies()) {
      TestPeer liar = TestPeer::dial(siege.url(2));
      liar.send_bytes(greeting());
      REQUIRE(liar.receive(Type::challenge));
      check_hangs_up(liar, lie);
    }
  });
}

TEST_CASE("a greeting that breaks off at any byte leaves nothing behind", "[T7]") {
  std::string door = GENERATE("tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0", "ws://127.0.0.1:0/2");
  Siege siege({"tcp://127.0.0.1:0", door});
  std::string text = greeting();

  siege.while_it_works([&] {
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
      TestPeer polite = TestPeer::dial(siege.url(2));
      TestPeer rude = TestPeer::dial(siege.url(2));
      for (TestPeer* peer : {&polite, &rude}) peer->send_bytes(std::string_view(text).substr(0, cut));
      ::shutdown(polite.descriptor(), SHUT_WR);
      hang_up_with_reset(rude);
      INFO("cut at " << cut);
      CHECK(bytes_until_end(polite, 3s) < a_sentence);
    }
  });
  siege.let_in(2);
}

TEST_CASE("a whole greeting sent byte by byte is a greeting", "[T7]") {
  Siege siege({"tcp://127.0.0.1:0", "tcp://127.0.0.1:0"});
  TestPeer slow = TestPeer::dial(siege.url(2));

  for (char byte : greeting()) slow.send_bytes({&byte, 1});

  CHECK(slow.receive(Type::challenge));
}

TEST_CASE("strangers are gone ten seconds after they came, however far they got", "[T7][slow]") {
  std::vector<std::string> doors{"tcp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0",
                                 "ws://127.0.0.1:0/4", "abstract://" + random_hex(12)};
  Siege siege(doors);
  std::string upgrade =
      "GET /4 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

  siege.while_it_works([&] {
    auto began = std::chrono::steady_clock::now();
    std::vector<TestPeer> strangers;
    std::vector<std::unique_ptr<TlsPeer>> encrypted;
    auto come = [&](std::uint64_t slot, const std::string& bytes) {
      strangers.push_back(TestPeer::dial(siege.url(slot)));
      strangers.back().send_bytes(bytes);
    };
    for (std::uint64_t slot : {2u, 3u, 4u, 5u}) come(slot, "");
    for (std::uint64_t slot : {2u, 5u}) come(slot, greeting().substr(0, 60));
    come(2, greeting());  // a CHALLENGE comes, and no PROOF
    come(3, std::string("\x16\x03\x01\x02\x00\x01", 6));
    come(4, upgrade.substr(0, 40));
    come(4, upgrade);
    for (const std::string& bytes : {std::string(), greeting()}) {
      encrypted.push_back(TlsPeer::dial(siege.port(3)));
      encrypted.back()->stream.send_bytes(bytes);
    }
    // And one who always has a byte more to say.
    TestPeer dripping = TestPeer::dial(siege.url(4));
    std::size_t dripped = 0;
    while (std::chrono::steady_clock::now() - began < 9500ms) {
      if (dripped < 100)
        (void)thrown([&] { dripping.send_bytes(std::string_view(upgrade).substr(dripped++, 1)); });
      std::this_thread::sleep_for(500ms);
    }
    // Not before their time is over: who is slow may still belong here.
    for (TestPeer& stranger : strangers) CHECK(is_open(stranger));
    auto end = [&](TestPeer& stranger) {
      auto left = began + 12s - std::chrono::steady_clock::now();
      auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(left);
      return thrown([&] { CHECK(bytes_until_end(stranger, std::max(limit, 1ms)) < a_sentence); });
    };
    for (TestPeer& stranger : strangers) CHECK(end(stranger) == "nothing");
    for (auto& stranger : encrypted) CHECK(end(stranger->stream) == "nothing");
    CHECK(end(dripping) == "nothing");
    CHECK(std::chrono::steady_clock::now() - began < 12s);
  });
}
