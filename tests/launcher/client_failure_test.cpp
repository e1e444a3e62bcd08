// The texts are those of OpenSSH 9.2, as it wrote them.
#include "launcher/plugin/client_failure.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::ssh;

namespace {

FailureCause cause_of(std::string_view log) {
  std::optional<Failure> failure = client_failure(log, "anna@node7", std::chrono::seconds(10));
  return failure ? failure->cause : cause::none;
}

std::string message_of(std::string_view log) {
  std::optional<Failure> failure = client_failure(log, "anna@node7", std::chrono::seconds(10));
  return failure ? failure->message : "";
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

constexpr std::string_view changed_key =
    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
    "Add correct host key in /home/anna/.ssh/known_hosts to get rid of this message.\r\n"
    "Offending ED25519 key in /home/anna/.ssh/known_hosts:7\r\n"
    "Host key for [127.0.0.1]:2222 has changed and you have requested strict checking.\r\n"
    "Host key verification failed.\r\n";

}  // namespace

TEST_CASE("what the client says is judged") {
  CHECK(cause_of("anna@127.0.0.1: Permission denied (publickey).\r\n") == cause::auth_refused);
  CHECK(cause_of("Received disconnect from 10.0.0.7 port 22:2: Too many authentication failures\r\n"
                 "Disconnected from 10.0.0.7 port 22\r\n") == cause::auth_refused);
  CHECK(cause_of(changed_key) == cause::host_key);
  CHECK(
      cause_of("No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\n"
               "Host key verification failed.\r\n") == cause::host_key);
  CHECK(cause_of("ssh: Could not resolve hostname nowhere.invalid: Name or service not known\r\n") ==
        cause::unknown_host);
  CHECK(cause_of("ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n") == cause::unreachable);
  CHECK(cause_of("ssh: connect to host 10.0.0.7 port 22: Connection timed out\r\n") == cause::unreachable);
  CHECK(cause_of("ssh: connect to host 10.0.0.7 port 22: No route to host\r\n") == cause::unreachable);
  CHECK(cause_of("Connection timed out during banner exchange\r\n"
                 "Connection to 127.0.0.1 port 2222 timed out\r\n") == cause::unreachable);
  CHECK(cause_of("kex_exchange_identification: Connection closed by remote host\r\n") == cause::unreachable);
  CHECK(cause_of("Error: remote port forwarding failed for listen port 5555\r\n") == cause::tunnel_port);
}

TEST_CASE("what the client says becomes a sentence that says what to do") {
  CHECK(says(message_of("ssh: Could not resolve hostname nowhere.invalid: Name or service not known\r\n"),
             "nowhere.invalid (Name or service not known)"));
  CHECK(says(message_of("ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n"),
             "(Connection refused)"));
  CHECK(says(message_of("Connection timed out during banner exchange\r\n"), "did not speak SSH within 10 s"));
  CHECK(says(message_of("Error: remote port forwarding failed for listen port 5555\r\n"), "port 5555"));
  CHECK(says(message_of("anna@a: Permission denied (publickey).\r\n"), "publickey"));
  CHECK(says(message_of(changed_key), "ssh-keygen -R"));
}

TEST_CASE("what is not certain is not judged") {
  for (const char* log :
       {"", "Permission denied", "cat: /etc/shadow: Permission denied\n", "Connection refused\n",
        "Error in library(tenkai) : there is no package called 'tenkai'\n",
        "sh: 1: ssh: Could not resolve hostname: not found\n"}) {
    INFO(log);
    CHECK(cause_of(log) == cause::none);
  }
}

TEST_CASE("a lost connection is seen") {
  CHECK(is_lost_connection("Timeout, server 10.0.0.7 not responding.\r\n"));
  CHECK(is_lost_connection("Connection to 10.0.0.7 closed by remote host.\r\n"));
  CHECK(is_lost_connection("client_loop: send disconnect: Broken pipe\r\n"));
  CHECK_FALSE(is_lost_connection("anna@node7: Permission denied (publickey).\r\n"));
  CHECK_FALSE(is_lost_connection(""));
}

TEST_CASE("a server that hung up before it spoke may have had no room, one that refuses has said so") {
  CHECK(
      is_turned_away("kex_exchange_identification: read: Connection reset by peer\r\n"
                     "Connection reset by 127.0.0.1 port 2222\r\n"));
  CHECK(is_turned_away("kex_exchange_identification: Connection closed by remote host\r\n"));
  CHECK_FALSE(is_turned_away("ssh: connect to host node7 port 22: Connection refused\r\n"));
  CHECK_FALSE(is_turned_away("Connection reset by 127.0.0.1 port 2222\r\n"));
}

TEST_CASE("how to make a host's key known names the file and the name under which it is looked for") {
  std::string plain = sentence::host_key_unknown("ssh://n7", "n7", 22);
  std::string other = sentence::host_key_unknown("ssh://n7:2222", "n7", 2222, "pool", "/home/me/hosts");

  CHECK(
      plain ==
      "the key of ssh://n7 is not known; connect once by hand with ssh, and compare the fingerprint that it "
      "shows, or take the key from `ssh-keyscan n7` into ~/.ssh/known_hosts");
  CHECK(other.ends_with(
      "`ssh-keyscan -p 2222 n7` into /home/me/hosts, with 'pool' in place of the name in front, "
      "because HostKeyAlias says so"));
}
