#include "plugins/ssh/host_settings.h"

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::ssh;

namespace {

const Me me{"anna", "/home/anna", "/run/agent"};

HostSettings settings_of(const std::string& more) {
  Result<HostSettings> settings = parse_settings("host x\nhostname node7\nuser bert\nport 2222\n" + more, me);
  REQUIRE(settings.has_value());
  return *settings;
}

}  // namespace

TEST_CASE("the settings of a host are read from what ssh -G prints") {
  HostSettings settings = settings_of(
      "identityfile ~/.ssh/id_ed25519\nidentityfile %d/keys/%r@%h\nidentitiesonly yes\n"
      "userknownhostsfile /home/anna/.ssh/known_hosts ~/kh2\nglobalknownhostsfile none\n"
      "gssapiauthentication yes\nstricthostkeychecking ask\nverifyhostkeydns false\nproxyusefdpass no\n");

  CHECK(settings.host == "node7");
  CHECK(settings.user == "bert");
  CHECK(settings.port == 2222);
  CHECK(settings.identities ==
        std::vector<std::string>{"/home/anna/.ssh/id_ed25519", "/home/anna/keys/bert@node7"});
  CHECK(settings.identities_only);
  CHECK(settings.known_hosts == std::vector<std::string>{"/home/anna/.ssh/known_hosts", "/home/anna/kh2"});
  CHECK(settings.agent == "/run/agent");
  CHECK(settings.gssapi);
  CHECK_FALSE(settings.has_proxy);
  CHECK_FALSE(settings.lenient_host_keys);
}

TEST_CASE("what libssh2 cannot do is seen in the settings") {
  CHECK(settings_of("proxyjump bastion\n").has_proxy);
  CHECK(settings_of("proxycommand nc %h %p\n").has_proxy);
  CHECK_FALSE(settings_of("proxycommand none\n").has_proxy);
  CHECK(settings_of("certificatefile ~/id-cert.pub\n").has_certificate);
  CHECK(settings_of("pkcs11provider /usr/lib/p11.so\n").has_token);
  CHECK_FALSE(settings_of("pkcs11provider none\n").has_token);
  CHECK(settings_of("controlpath /run/cm-1\n").control_path == "/run/cm-1");
  CHECK(settings_of("controlpath none\n").control_path.empty());
  CHECK(settings_of("hostkeyalias pool\n").host_key_alias == "pool");
}

TEST_CASE("the user may trust host keys in other ways than known_hosts") {
  for (const char* line : {"stricthostkeychecking accept-new\n", "stricthostkeychecking false\n",
                           "verifyhostkeydns true\n", "knownhostscommand /bin/keys\n"}) {
    INFO(line);
    CHECK(settings_of(line).lenient_host_keys);
  }
  CHECK_FALSE(settings_of("stricthostkeychecking true\n").lenient_host_keys);
}

TEST_CASE("the agent is the one that the settings name") {
  CHECK(settings_of("identityagent none\n").agent.empty());
  CHECK(settings_of("identityagent SSH_AUTH_SOCK\n").agent == "/run/agent");
  CHECK(settings_of("identityagent ~/agent\n").agent == "/home/anna/agent");
  CHECK(settings_of("identityagent $NO_SUCH_VARIABLE_HERE\n").agent.empty());
}

TEST_CASE("what is no output of ssh -G is refused") {
  for (const char* text :
       {"", "hostname node7\nuser anna\n", "hostname node7\nuser anna\nport 0\n",
        "hostname node7\nuser anna\nport 99999\n", "\xff\xfe", "hostname \nuser anna\nport 22\n"}) {
    INFO(text);
    CHECK_FALSE(parse_settings(text, me).has_value());
  }
  std::string many = "hostname a\nuser b\nport 1\n";
  for (int i = 0; i < 1000; ++i) many += "identityfile /key\nuserknownhostsfile /a /b\n";
  CHECK(parse_settings(many, me)->identities.size() == 100);
}

TEST_CASE("without a client the settings are plain") {
  HostSettings settings = plain_settings({"", "node7", 0}, me);

  CHECK(settings.user == "anna");
  CHECK(settings.port == 22);
  CHECK(settings.identities.front() == "/home/anna/.ssh/id_ed25519");
  CHECK(plain_settings({"bert", "node7", 2222}, me).user == "bert");
}
