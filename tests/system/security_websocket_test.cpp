// WebSockets as browsers, scanners and those who know the protocol would abuse them.
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/siege.h"
#include "tests/system/tls_peer.h"
#include "tests/wire/handshake_by_hand.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

const std::string good_key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const std::string good_fields =
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";

const std::string other_version =
    "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n";

std::string key(const std::string& value) { return "Sec-WebSocket-Key: " + value + "\r\n"; }

std::string request(const std::string& path, const std::string& fields = good_fields + good_key) {
  return "GET " + path + " HTTP/1.1\r\n" + fields + "\r\n";
}

// A frame of a WebSocket client. `first`: FIN, reserved bits and opcode.
std::string frame(unsigned char first, std::string_view content, bool masked = true) {
  std::string bytes(1, static_cast<char>(first));
  auto mask_bit = static_cast<unsigned char>(masked ? 0x80 : 0);
  if (content.size() < 126) {
    bytes += static_cast<char>(mask_bit | content.size());
  } else {
    bytes += static_cast<char>(mask_bit | 126);
    bytes += static_cast<char>(content.size() >> 8);
    bytes += static_cast<char>(content.size());
  }
  if (masked) bytes += std::string(4, '\0');  // a mask of zeros is a mask
  return bytes.append(content);
}

constexpr unsigned char final_binary = 0x82;

// One connection to the door, over TLS where it is wss.
struct Caller {
  std::unique_ptr<TlsPeer> encrypted;
  std::optional<TestPeer> plain;

  explicit Caller(const std::string& url) {
    if (url.rfind("wss", 0) == 0) encrypted = TlsPeer::dial(parse_url(url)->port);
    else plain = TestPeer::dial(url);
  }
  TestPeer& stream() { return encrypted ? encrypted->stream : *plain; }

  // What is answered to a request that is not granted.
  std::string refusal(const std::string& text) {
    (void)thrown([&] { stream().send_bytes(text); });
    std::string answer = text_until_end(stream(), 3s);
    return answer.size() > 512 ? "too much" : answer;
  }
  // Comes in as a WebSocket; not yet as a daemon. Returns what was answered.
  std::string upgrade(const std::string& path) {
    stream().send_bytes(request(path));
    std::string head;
    char byte = 0;
    while (head.find("\r\n\r\n") == head.npos && ::recv(stream().descriptor(), &byte, 1, 0) == 1)
      head += byte;
    if (head.rfind("HTTP/1.1 101", 0) != 0) throw std::runtime_error("no upgrade: " + head);
    return head;
  }
};

std::string path_of(const std::string& url) { return parse_url(url)->path; }

struct Abuse {
  std::string name;
  std::string text;
  std::string status;  // of HTTP; empty where the end of the connection says enough
};

std::vector<Abuse> bad_requests(const std::string& own, const std::string& other) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  return {
      {"a page in a browser", request(own, good_fields + good_key + "Origin: http://evil\r\n"), "403"},
      {"an Origin that is empty", request(own, good_fields + good_key + "Origin:\r\n"), "403"},
      {"a path nobody asked for", request("/guess"), "404"},
      {"no path", request("/"), "404"},
      {"a path with dots", request("/x/%2e%2e" + own), "404"},
      {"a path that is escaped", request("/%32"), "404"},
      {"a path with a question", request(own + "?" + other), "404"},
      {"a whole URL as path", request("http://localhost" + own), "404"},
      {"no key", request(own, good_fields), "400"},
      {"two keys", request(own, good_fields + good_key + good_key), "400"},
      {"a key of one letter", request(own, good_fields + key("x")), "400"},
      {"a key of 15 bytes", request(own, good_fields + key("AAAAAAAAAAAAAAAAAAAA")), "400"},
      {"a key of 17 bytes", request(own, good_fields + key("AAAAAAAAAAAAAAAAAAAAAAA=")), "400"},
      {"a key that is no Base64", request(own, good_fields + key("AAAAAAAAAAAAAAAAAAAA-A==")), "400"},
      {"a key that no encoder makes", request(own, good_fields + key("AAAAAAAAAAAAAAAAAAAAAB==")), "400"},
      {"two upgrades", request(own, good_fields + good_key + "Upgrade: h2c\r\n"), "400"},
      {"two hosts", request(own, good_fields + good_key + "Host: other\r\n"), "400"},
      {"version 8", request(own, other_version + good_key), "426"},
      {"no version",
       request(own, "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + good_key), "426"},
      {"no upgrade", request(own, "Host: localhost\r\n"), "426"},
      {"another method", "POST " + own + " HTTP/1.1\r\n" + good_fields + good_key + "\r\n", "405"},
      {"33 fields", request(own, good_fields + good_key + many), "431"},
      {"a body", request(own, good_fields + good_key + "Content-Length: 1000000000\r\n"), "400"},
      // What has not been read when it ends may take the answer along.
      {"a path of 64 KiB", request("/" + std::string(65536, 'a')), ""},
      {"a field of 64 KiB", request(own, good_fields + good_key + "X: " + std::string(65536, 'a') + "\r\n"),
       ""},
      {"no HTTP", "\x01\x02\x03\x04\r\n\r\n", "400"},
      {"two lengths", request(own, good_fields + good_key + "Content-Length: 1\r\nContent-Length: 2\r\n"),
       "400"},
      {"a field without a name", request(own, good_fields + good_key + ": x\r\n"), "400"},
  };
}

// The head of a message with this length.
std::string announced(const char (&length)[9]) {
  std::string head = frame(final_binary, "");
  head[1] = '\xff';
  return head.insert(2, std::string(length, 8));
}

std::vector<Abuse> bad_frames() {
  std::string large = announced("\x7f\xff\xff\xff\xff\xff\xff\xff");
  return {
      {"no mask", frame(final_binary, "x", false), ""},
      {"a ping of 126 bytes", frame(0x89, std::string(126, 'x')), ""},
      {"a ping in pieces", frame(0x09, "x"), ""},
      {"reserved bit 1", frame(0xC2, "x"), ""},
      {"reserved bit 2", frame(0xA2, "x"), ""},
      {"reserved bit 3", frame(0x92, "x"), ""},
      {"a reserved opcode", frame(0x83, "x"), ""},
      {"a reserved control opcode", frame(0x8B, "x"), ""},
      {"a piece of nothing", frame(0x80, "x"), ""},
      {"a message within a message", frame(0x02, "T") + frame(final_binary, "k"), ""},
      {"text", frame(0x81, "hello"), ""},
      {"text that is no UTF-8", frame(0x81, "\xff\xfe"), ""},
      {"a close code that does not exist", frame(0x88, std::string("\x03\xe7", 2)), ""},
      {"half a close code", frame(0x88, "x"), ""},
      {"a message of 2^63 - 1 bytes that are no frame", large + std::string(4096, 'x'), ""},
      // Refused for what they announce: what follows never comes.
      {"a message of 2^63 - 1 bytes", large, ""},
      {"a message of 2^63 bytes", announced("\x80\0\0\0\0\0\0\0"), ""},
      {"a message of 2^64 - 1 bytes", announced("\xff\xff\xff\xff\xff\xff\xff\xff"), ""},
      {"a message of 33 KiB from a stranger", announced("\0\0\0\0\0\0\x84\0"), ""},
      {"a frame that lies", frame(final_binary, encode_head(Frame(Type::task))), ""},
  };
}

}  // namespace

TEST_CASE("a request that is no daemon's is refused with its number, at once", "[T16]") {
  std::string scheme = GENERATE("ws", "wss");
  Siege siege({scheme + "://127.0.0.1:0/1", scheme + "://127.0.0.1:0/2"});
  std::string own = path_of(siege.url(2));

  siege.while_it_works([&] {
    for (const Abuse& abuse : bad_requests(own, path_of(siege.url(1)))) {
      INFO(abuse.name);
      std::string answer = Caller(siege.url(2)).refusal(abuse.text);
      CHECK(says(answer, abuse.status.empty() ? "" : "HTTP/1.1 " + abuse.status));
      CHECK(answer != "too much");
    }
  });

  CHECK(siege.dispatcher->status()[2][2] == "0");
  siege.let_in(2);
}

TEST_CASE("a WebSocket frame that breaks the rules ends the connection, at once", "[T16]") {
  std::string scheme = GENERATE("ws", "wss");
  Siege siege({scheme + "://127.0.0.1:0/1", scheme + "://127.0.0.1:0/2"});

  siege.while_it_works([&] {
    for (const Abuse& abuse : bad_frames()) {
      INFO(abuse.name);
      Caller caller(siege.url(2));
      caller.upgrade("/2");
      (void)thrown([&] { caller.stream().send_bytes(abuse.text); });
      std::size_t answered = 512;
      CHECK(thrown([&] { answered = bytes_until_end(caller.stream(), 3s); }) == "nothing");
      CHECK(answered < 512);
    }
  });

  siege.let_in(2);
}

TEST_CASE("what answers a WebSocket does not say what it is made of") {
  Siege siege({"ws://127.0.0.1:0/1", "ws://127.0.0.1:0/2"});

  std::string granted = Caller(siege.url(2)).upgrade("/2");
  std::string other = Caller(siege.url(2)).refusal(request("/2", other_version + good_key));

  for (const std::string& answer : {granted, other}) {
    INFO(answer);
    CHECK_FALSE(says(answer, "Beast"));
    CHECK_FALSE(says(answer, "Boost"));
  }
  CHECK(says(other, "Sec-WebSocket-Version: 13\r\n"));
}

TEST_CASE("a million empty pieces, and as many pings, take no memory and delay nobody", "[T16]") {
  Siege siege({"ws://127.0.0.1:0/1", "ws://127.0.0.1:0/2"});
  std::string piece = GENERATE(as<std::string>{}, "pieces", "pings");
  std::string flood;
  for (int i = 0; i < 10000; ++i) flood += piece == "pieces" ? frame(0x00, "") : frame(0x89, "x");

  siege.while_it_works([&] {
    Caller caller(siege.url(2));
    caller.upgrade("/2");
    caller.stream().send_bytes(frame(0x02, ""));
    // Whoever does not read the answers to its pings is not read any more, either.
    timeval little{0, 300000};
    ::setsockopt(caller.stream().descriptor(), SOL_SOCKET, SO_SNDTIMEO, &little, sizeof little);
    (void)thrown([&] {
      for (int i = 0; i < 100; ++i) caller.stream().send_bytes(flood);
    });
  });

  siege.let_in(2);
}

TEST_CASE("the greeting may come in any pieces, between pings", "[T16]") {
  Siege siege({"ws://127.0.0.1:0/1", "ws://127.0.0.1:0/2"});
  Caller caller(siege.url(2));
  caller.upgrade("/2");
  std::string greeting = encode_head(hello_by_hand(Role::agent, {}, 0, program_version));

  caller.stream().send_bytes(frame(0x02, greeting.substr(0, 10)) + frame(0x89, "x") + frame(0x00, "") +
                             frame(0x80, greeting.substr(10, 40)) + frame(final_binary, greeting.substr(50)));

  // A pong of 1 byte, then the CHALLENGE in a frame of its own.
  std::string answer(16, '\0');
  REQUIRE(::recv(caller.stream().descriptor(), answer.data(), answer.size(), MSG_WAITALL) == 16);
  CHECK(answer.substr(0, 3) == "\x8a\x01x");
  CHECK(answer.find("Tk") != answer.npos);
}

TEST_CASE("what may be asked of a slot's path is not asked of another port's", "[T16]") {
  Siege siege({"ws://127.0.0.1:0/1", "ws://127.0.0.1:0/2", "tcp://127.0.0.1:0"});

  siege.while_it_works([&] {
    TestPeer stranger = TestPeer::dial(siege.url(3));
    stranger.send_bytes(request("/2"));
    CHECK(bytes_until_end(stranger, 3s) < 512);
  });
}
