#include "plugins/ssh/known_hosts.h"

#include "plugins/ssh/ssh_text.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::ssh;

namespace {

constexpr std::string_view ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIBYVFiHBa3nF8ZwNtCYuzD2T6pxGZyuq0nMZ9vGk0pcd";

std::string line(const std::string& names) {
  return names + " ssh-ed25519 " + std::string(ed25519) + " a comment\n";
}

bool knows(const std::string& text, std::string_view name) { return !known_keys(text, name).empty(); }

}  // namespace

TEST_CASE("a host is known by name, address and port") {
  CHECK(known_name("Node7", 22) == "node7");
  CHECK(known_name("::1", 2222) == "[::1]:2222");
  CHECK(knows(line("node7,10.0.0.7"), "node7"));
  CHECK(knows(line("node7,10.0.0.7"), "10.0.0.7"));
  CHECK(knows(line("NODE7"), "node7"));
  CHECK(knows(line("[node7]:2222"), "[node7]:2222"));
  CHECK_FALSE(knows(line("[node7]:2222"), "node7"));
  CHECK_FALSE(knows(line("node7"), "[node7]:2222"));
  CHECK_FALSE(knows(line("node77"), "node7"));
  CHECK_FALSE(knows("# " + line("node7"), "node7"));
}

TEST_CASE("a host is known by pattern, unless another one excludes it") {
  CHECK(knows(line("*.example.org"), "node7.example.org"));
  CHECK(knows(line("node?"), "node7"));
  CHECK(knows(line("n*d*7"), "node17"));
  CHECK_FALSE(knows(line("node?"), "node17"));
  CHECK_FALSE(knows(line("*.example.org,!node7.example.org"), "node7.example.org"));
  CHECK(knows(line("[*.example.org]:2222"), "[a.example.org]:2222"));
}

TEST_CASE("a host is known by hash") {
  std::string hashed = line("|1|TbVod3JAytM6hxhzzoyiPwCc3zY=|h47IKVn1OWtXpLS5Nrv3i1Q4tYM=") +
                       line("|1|EK9lc7KxpcV0CXDJlE5lSBWg9Gk=|jrUxsF29bCby+YYtMjijyoIJOHU=");

  CHECK(known_keys(hashed, "node7").size() == 1);
  CHECK(known_keys(hashed, "[127.0.0.1]:2222").size() == 1);
  CHECK_FALSE(knows(hashed, "node8"));
  for (const char* broken : {"|1|", "|1||", "|2|a|b", "|1|a|b|c", "|", "|1|====|===="}) {
    CHECK_FALSE(knows(line(broken), "node7"));
  }
}

TEST_CASE("lines that are no lines are passed over") {
  std::string text = "\n \nnode7\nnode7 ssh-rsa\n@unknown node7 ssh-rsa AAAA\n\xff\xfe\n@\n" + line("node7");

  CHECK(known_keys(text, "node7").size() == 1);
}

TEST_CASE("a key is judged by those that are known") {
  std::string key = from_base64(ed25519);
  std::string other = key;
  other.back() = static_cast<char>(other.back() ^ 1);
  std::vector<KnownKey> known = known_keys(line("node7"), "node7");

  CHECK(judge_host_key(known, key) == HostKeyVerdict::known);
  CHECK(judge_host_key(known, other) == HostKeyVerdict::changed);
  CHECK(judge_host_key({}, key) == HostKeyVerdict::unknown);
  CHECK(judge_host_key(known, {}) == HostKeyVerdict::unknown);
  CHECK(judge_host_key(known_keys("node7 ssh-rsa AAAA\n", "node7"), key) == HostKeyVerdict::unknown);
  CHECK(judge_host_key(known_keys(line("node7") + line("@revoked *"), "node7"), key) ==
        HostKeyVerdict::revoked);
  CHECK(judge_host_key(known_keys(line("@cert-authority *"), "node7"), key) == HostKeyVerdict::unknown);
  CHECK(type_of_key(key) == "ssh-ed25519");
  CHECK(fingerprint(key).substr(0, 7) == "SHA256:");
  CHECK(fingerprint(key).size() == 50);
}
