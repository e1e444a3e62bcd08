#include "launcher/doctor/ssh_checks.h"

#include <chrono>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/launcher/doctor_tables.h"

using namespace tenkai::doctor;

namespace {

SshHost healthy() {
  SshHost host;
  host.remote = "ssh://node1";
  host.place = "tenkai.yaml:3:4";
  host.limit = std::chrono::seconds(20);
  host.settings.output = "hostname node1.example.org\nport 2222\nidentityfile ~/.ssh/id_rsa\n";
  host.keys = {"/home/anna/.ssh/id_ed25519"};
  host.answer.exit_code = 0;
  host.answer.output =
      "Welcome\n@reached=yes\n@seconds=1000\n@listening=0100007F:1F90 "
      "00000000:0016\n@temporary=yes\n@r=4.2.2\n"
      "@home=/usr/lib/R\n@package=0.1.0\n@path=/lib/tenkai\n@loads=yes\n@program=/bin/tenkai\n@end=yes\n";
  host.begun = 995;
  host.ended = 1005;
  host.rscript = "Rscript";
  host.own_version = "0.1.0";
  return host;
}

template <class Change>
Checks checks_with(Change change) {
  SshHost host = healthy();
  change(host);
  return judge_ssh_host(host, SshClient());
}

template <class Change>
std::string bad_with(Change change) {
  return bad_of(checks_with(change));
}

// As the client says it.
template <class Change>
Check refused(const std::string& says, Change change) {
  return checks_with([&](SshHost& it) {
           it.answer = {};
           it.answer.exit_code = 255;
           it.answer.errors = says;
           change(it);
         })
      .front();
}
Check refused(const std::string& says) {
  return refused(says, [](SshHost&) {});
}

}  // namespace

TEST_CASE("a healthy machine that SSH reaches has nothing to complain of") {
  CHECK(bad_with([](SshHost&) {}).empty());
  CHECK(bad_with([](SshHost& it) { it.tunnel = {8081}; }).empty());
}

TEST_CASE("each want of a machine that SSH reaches has its check") {
  CHECK(bad_with([](SshHost& it) { it.tunnel = {8080}; }) == "ssh.tunnel wrong;");
  CHECK(bad_with([](SshHost& it) { replace(it.answer.output, "@seconds=1000", "@seconds=900"); }) ==
        "ssh.clock warning;");
  CHECK(bad_with([](SshHost& it) { replace(it.answer.output, "@seconds=1000", "@seconds=1100"); }) ==
        "ssh.clock warning;");
  CHECK(bad_with([](SshHost& it) { replace(it.answer.output, "@seconds=1000", "@seconds="); }) ==
        "ssh.clock skipped;");
  CHECK(bad_with([](SshHost& it) { replace(it.answer.output, "@temporary=yes", "@temporary=no"); }) ==
        "ssh.folder wrong;");
  CHECK(bad_with([](SshHost& it) { replace(it.answer.output, "@package=0.1.0", "@package="); }) ==
        "ssh.r.package wrong;");
  // A launch mends that.
  CHECK(bad_with([](SshHost& it) {
          it.brings = true;
          replace(it.answer.output, "@package=0.1.0", "@package=");
        }) == "ssh.r.package warning;");
  CHECK(bad_with([](SshHost& it) {
          it.answer.output = "@reached=yes\n@seconds=1000\n@temporary=yes\n";
          it.answer.exit_code = 127;
        }) == "ssh.r wrong;");
}

TEST_CASE("a machine that cannot be reached is one check, with what mends it") {
  Check key = refused("No ED25519 host key is known for node1\nHost key verification failed.\n");
  CHECK(key.state == State::wrong);
  CHECK(key.mend.find("ssh-keyscan -p 2222 node1.example.org") != std::string::npos);
  CHECK(refused("anna@node1: Permission denied (publickey).\n").mend.starts_with("ssh-copy-id ssh://node1"));
  CHECK(refused("anna@node1: Permission denied (publickey).\n", [](SshHost& it) {
          it.keys.clear();
        }).mend.starts_with("ssh-keygen -t ed25519"));
  CHECK(refused("anna@node1: Permission denied (publickey).\n", [](SshHost& it) {
          it.keys = {"/k/id_rsa"};
        }).mend.find("RSA keys alone") != std::string::npos);
  CHECK(refused("ssh: Could not resolve hostname node1: Name or service not known\n").mend ==
        "change ssh.remotes in tenkai.yaml:3:4");
  CHECK(refused("ssh: connect to host node1 port 22: Connection refused\n", [](SshHost& it) {
          it.settings.output += "proxyjump gate\n";
        }).sentence.find("through gate") != std::string::npos);
  CHECK(refused("what nobody knows\n").sentence ==
        "the connection ends with exit code 255 (what nobody knows)");
}

TEST_CASE("a client that is not there is said, and no fault") {
  SshClient client;
  client.missing = true;

  CHECK(judge_ssh_client(client).front().state == State::skipped);
}

TEST_CASE("settings of ssh may come again") {
  auto settings = parse_ssh_settings("user anna\nidentityfile a\nidentityfile b\nodd\n");

  CHECK(settings.count("identityfile") == 2);
  CHECK(settings.count("odd") == 0);
}
