#include "base/url.h"

#include <string>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;

namespace {

using Scheme = Url::Scheme;

std::string refusal_of(std::string_view text) {
  auto url = parse_url(text);
  return url ? "accepted as " + to_string(*url) : url.error().message;
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

Url url_of(std::string_view text) {
  auto url = parse_url(text);
  INFO(text);
  REQUIRE(url.has_value());
  return *url;
}

std::vector<std::string> expanded(std::vector<std::string> texts, std::size_t slots) {
  std::vector<Url> urls;
  for (const std::string& text : texts) urls.push_back(url_of(text));
  auto result = expand_urls(urls, slots);
  if (!result) return {result.error().message};
  std::vector<std::string> written;
  for (const Url& url : *result) written.push_back(to_string(url));
  return written;
}

}  // namespace

TEST_CASE("a network URL is taken apart into scheme, host, port and path") {
  CHECK(url_of("tcp://10.75.32.90:5555") == Url{Scheme::tcp, "10.75.32.90", 5555, ""});
  CHECK(url_of("tls+tcp://login-1.cluster.example:1") ==
        Url{Scheme::tls_tcp, "login-1.cluster.example", 1, ""});
  CHECK(url_of("ws://host_2:0/a/b?c=d") == Url{Scheme::ws, "host_2", 0, "/a/b?c=d"});
  CHECK(url_of("wss://h:65535/") == Url{Scheme::wss, "h", 65535, "/"});
}

TEST_CASE("an IPv6 address stands in brackets and is kept without them") {
  CHECK(url_of("tcp://[::1]:5555").host == "::1");
  CHECK(url_of("ws://[2001:db8::7]:80/1").host == "2001:db8::7");
  CHECK(url_of("tcp://[fe80::1%eth0]:1").host == "fe80::1%eth0");
  CHECK(to_string(url_of("ws://[2001:db8::7]:80/1")) == "ws://[2001:db8::7]:80/1");
}

TEST_CASE("an empty host means all interfaces") {
  CHECK(url_of("tcp://:0") == Url{Scheme::tcp, "", 0, ""});
  CHECK(url_of("ws://:5555/1") == Url{Scheme::ws, "", 5555, "/1"});
}

TEST_CASE("a local URL is a name or a path") {
  CHECK(url_of("abstract://3f2a").path == "3f2a");
  CHECK(url_of("abstract://a/b/1").path == "a/b/1");
  CHECK(url_of("ipc:///run/user/1000/tenkai").path == "/run/user/1000/tenkai");
}

TEST_CASE("a socket name may have 107 bytes and no more") {
  std::string longest(max_socket_name, 'x');
  std::string path = "/" + std::string(max_socket_name - 1, 'x');

  CHECK(url_of("abstract://" + longest).path == longest);
  CHECK(url_of("ipc://" + path).path == path);
  CHECK(says(refusal_of("abstract://" + longest + "x"), "a name of 108 bytes, and the system allows 107"));
  CHECK(says(refusal_of("ipc://" + path + "x"), "a path of 108 bytes"));
}

TEST_CASE("what is written is read again as the same URL") {
  for (const char* text : {"tcp://:0", "tcp://127.0.0.1:5555", "tls+tcp://[::1]:443", "ws://localhost:80/1",
                           "wss://h:37955/a/b", "abstract://name", "ipc:///tmp/name"}) {
    CHECK(to_string(url_of(text)) == text);
  }
}

TEST_CASE("a refusal names the URL, the fault and a right one") {
  CHECK(refusal_of("tcp://10.0.0.1:http") ==
        "the URL 'tcp://10.0.0.1:http' has the port 'http', which is no number from 0 to 65535; "
        "a right one looks like tcp://127.0.0.1:5555");
}

TEST_CASE("an unknown scheme is refused and the known ones are named") {
  for (const char* text : {"http://host:80", "TCP://host:1", "://host:1", "tcps://h:1", "tls+ws://h:1"}) {
    INFO(text);
    CHECK(says(refusal_of(text), "unknown scheme"));
    CHECK(says(refusal_of(text), "tcp, tls+tcp, ws, wss, abstract, ipc"));
  }
  for (const char* text : {"host:5555", "tcp:/host:1", "5555", "/tmp/socket"}) {
    INFO(text);
    CHECK(says(refusal_of(text), "has no scheme"));
  }
  CHECK(says(refusal_of(""), "is empty"));
}

TEST_CASE("a port is a number from 0 to 65535, and always there") {
  for (const char* port : {"65536", "99999999999999999999", "-1", "+1", "0x50", "1 ", "", "5555a", "5.5"}) {
    INFO(port);
    std::string text = refusal_of(std::string("tcp://h:") + port);
    CHECK((says(text, "has the port") || says(text, "a space")));
  }
  CHECK(says(refusal_of("tcp://host"), "has no port"));
  CHECK(says(refusal_of("ws://host/path"), "has no port"));
  CHECK(says(refusal_of("tcp://[::1]"), "has no port"));
  CHECK(says(refusal_of("tcp://"), "has no port"));
}

TEST_CASE("a host is a name or an address") {
  for (const char* host : {"10.0.0.300", "1.2.3", "-h", "a..b", ".", "h!", "*", "a%20b", "(h)"}) {
    INFO(host);
    CHECK(says(refusal_of("tcp://" + std::string(host) + ":1"), "neither a name nor an address"));
  }
  CHECK(says(refusal_of("tcp://" + std::string(254, 'h') + ":1"), "neither a name nor an address"));
  CHECK(says(refusal_of("tcp://" + std::string(64, 'h') + ":1"), "neither a name nor an address"));
}

TEST_CASE("a bad IPv6 address is refused") {
  CHECK(says(refusal_of("tcp://::1:5555"), "stands in brackets"));
  CHECK(says(refusal_of("tcp://[::1:5555"), "does not close it"));
  CHECK(says(refusal_of("tcp://[]:1"), "no IPv6 address between its brackets"));
  CHECK(says(refusal_of("tcp://[::g]:1"), "no IPv6 address between its brackets"));
  CHECK(says(refusal_of("tcp://[127.0.0.1]:1"), "no IPv6 address between its brackets"));
  CHECK(says(refusal_of("tcp://[fe80::1%]:1"), "no IPv6 address between its brackets"));
}

TEST_CASE("a user before the host is refused") {
  CHECK(says(refusal_of("tcp://anna@host:1"), "has a user before its host"));
  CHECK(says(refusal_of("wss://anna:secret@host:1/1"), "has a user before its host"));
}

TEST_CASE("only WebSocket URLs have a path") {
  CHECK(says(refusal_of("tcp://h:1/1"), "has a path"));
  CHECK(says(refusal_of("tls+tcp://h:1/"), "has a path"));
}

TEST_CASE("a fragment is refused, because it never reaches the other end") {
  CHECK(says(refusal_of("ws://h:1/a#b"), "has a '#'"));
}

TEST_CASE("what a shell, R or a log would read in another way is refused") {
  CHECK(says(refusal_of("ws://h:1/a b"), "has a space in it"));
  CHECK(says(refusal_of("ws://h:1/a\nb"), "the control character \\n"));
  CHECK(says(refusal_of(std::string_view("ws://h:1/a\0b", 12)), "the control character \\x00"));
  CHECK(says(refusal_of("abstract://a\x7f"), "the control character \\x7f"));
  for (const char* bad : {"'", "\"", "`", "$", "\\", "<", ">", "|", "^", "{", "}"}) {
    INFO(bad);
    CHECK(says(refusal_of("ws://h:1/a" + std::string(bad)), "the character " + std::string(bad)));
    CHECK(says(refusal_of("ipc:///tmp/" + std::string(bad)), "the character " + std::string(bad)));
  }
}

TEST_CASE("characters beyond ASCII are for files and local names only") {
  CHECK(says(refusal_of("ws://h:1/é"), "beyond ASCII"));
  CHECK(says(refusal_of("tcp://bücher:1"), "beyond ASCII"));
  CHECK(url_of("ipc:///tmp/展開").path == "/tmp/展開");
}

TEST_CASE("a local URL needs a name, and a file an absolute path") {
  CHECK(says(refusal_of("abstract://"), "has no name"));
  CHECK(says(refusal_of("ipc://"), "has no path"));
  CHECK(says(refusal_of("ipc://tmp/x"), "does not start at '/'"));
}

TEST_CASE("an endless URL is refused with a sentence that ends") {
  std::string message = refusal_of("ws://h:1/" + std::string(100'000, 'a'));

  CHECK(says(message, "is 100009 bytes long, and 2048 are allowed"));
  CHECK(message.size() < 500);
}

TEST_CASE("a refusal cannot forge a line of a log") {
  std::string message = refusal_of("x\n2024-01-01 all is well\x1b[2J://");

  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.find('\x1b') == std::string::npos);
}

TEST_CASE("URLs know whether they leave the machine") {
  CHECK(is_network(url_of("tcp://h:1")));
  CHECK(is_network(url_of("wss://h:1")));
  CHECK_FALSE(is_network(url_of("abstract://a")));
  CHECK_FALSE(is_network(url_of("ipc:///a")));
}

TEST_CASE("URLs know whether they are encrypted and whether they are WebSockets") {
  CHECK(is_encrypted(url_of("wss://h:1")));
  CHECK(is_encrypted(url_of("tls+tcp://h:1")));
  CHECK_FALSE(is_encrypted(url_of("ws://h:1")));
  CHECK_FALSE(is_encrypted(url_of("tcp://h:1")));
  CHECK(is_websocket(url_of("wss://h:1")));
  CHECK_FALSE(is_websocket(url_of("tls+tcp://h:1")));
}

TEST_CASE("loopback is an address of this machine and nothing that only looks like one") {
  for (const char* text : {"tcp://127.0.0.1:1", "ws://127.8.9.10:1/1", "tcp://[::1]:1", "tcp://[0:0::1]:1",
                           "tcp://localhost:1", "tcp://[::ffff:127.0.0.1]:1"}) {
    INFO(text);
    CHECK(is_loopback(url_of(text)));
  }
  for (const char* text :
       {"tcp://:1", "tcp://127.example.org:1", "tcp://10.127.0.1:1", "tcp://[::]:1", "tcp://0.0.0.0:1",
        "tcp://localhost.example.org:1", "tcp://[::ffff:10.0.0.1]:1", "abstract://localhost"}) {
    INFO(text);
    CHECK_FALSE(is_loopback(url_of(text)));
  }
}

TEST_CASE("as many URLs as slots are taken as they are") {
  CHECK(expanded({"ws://h:1/x"}, 1) == std::vector<std::string>{"ws://h:1/x"});
  CHECK(expanded({"tcp://h:9", "ws://h:0/b"}, 2) == std::vector<std::string>{"tcp://h:9", "ws://h:0/b"});
}

TEST_CASE("a WebSocket URL gets a path for each slot, behind the one it has") {
  CHECK(expanded({"ws://h:5555"}, 3) ==
        std::vector<std::string>{"ws://h:5555/1", "ws://h:5555/2", "ws://h:5555/3"});
  CHECK(expanded({"wss://h:0/base"}, 2) == std::vector<std::string>{"wss://h:0/base/1", "wss://h:0/base/2"});
  CHECK(expanded({"ws://h:1/"}, 2) == std::vector<std::string>{"ws://h:1/1", "ws://h:1/2"});
}

TEST_CASE("a tcp URL gets the ports that follow") {
  CHECK(expanded({"tcp://h:5555"}, 3) ==
        std::vector<std::string>{"tcp://h:5555", "tcp://h:5556", "tcp://h:5557"});
  CHECK(expanded({"tls+tcp://[::1]:1"}, 2) ==
        std::vector<std::string>{"tls+tcp://[::1]:1", "tls+tcp://[::1]:2"});
}

TEST_CASE("port 0 stays 0 for each slot, and the system chooses for each") {
  CHECK(expanded({"tcp://:0"}, 2) == std::vector<std::string>{"tcp://:0", "tcp://:0"});
}

TEST_CASE("local URLs get a number behind their name") {
  CHECK(expanded({"abstract://a"}, 2) == std::vector<std::string>{"abstract://a/1", "abstract://a/2"});
  CHECK(expanded({"ipc:///tmp/a"}, 2) == std::vector<std::string>{"ipc:///tmp/a/1", "ipc:///tmp/a/2"});
}

TEST_CASE("of several URLs that are not as many as the slots the first is spread") {
  CHECK(expanded({"tcp://h:7", "tcp://h:70"}, 3) ==
        std::vector<std::string>{"tcp://h:7", "tcp://h:8", "tcp://h:9"});
  CHECK(expanded({"tcp://h:7", "tcp://h:70"}, 1) == std::vector<std::string>{"tcp://h:7"});
}

TEST_CASE("URLs that cannot be spread are refused") {
  CHECK(says(expanded({"tcp://h:65534"}, 3)[0], "there is no port 65536"));
  CHECK(says(expanded({"abstract://" + std::string(105, 'x')}, 10)[0], "a name of 108 bytes"));
  CHECK(says(expanded({}, 3)[0], "no URL was given"));
  CHECK(says(expanded({"tcp://h:1"}, 0)[0], "at least 1"));
}
