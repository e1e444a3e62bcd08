#include "plugins/ssh/choice.h"

#include "plugins/ssh/ssh_text.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::ssh;

namespace {

Identity identity_of(const std::string& type, bool encrypted = false) {
  return {"/key", {type, encrypted, "public"}};
}

// A host like most: a key that libssh2 can use, and an agent.
Facts usual() {
  Facts facts;
  facts.has_client = true;
  facts.has_libssh2 = true;
  facts.identities = {identity_of("ssh-ed25519")};
  facts.known = {{KnownKey::Mark::none, "ssh-ed25519", "AAAA"}, {KnownKey::Mark::none, "ssh-rsa", "BBBB"}};
  return facts;
}

bool takes_client(const Facts& facts) {
  Choice choice = choose_back_end(facts);
  CHECK((!choice.client || !choice.reason.empty()));
  return choice.client;
}

std::string openssh_key(const std::string& cipher, const std::string& type) {
  std::string magic("openssh-key-v1\0", 15);
  std::string body = magic + ssh_text(cipher) + ssh_text("none") + ssh_text("") + ssh_number(1) +
                     ssh_text(ssh_text(type) + ssh_text("point"));
  return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + to_base64(body) + "\n-----END OPENSSH PRIVATE KEY-----\n";
}

}  // namespace

TEST_CASE("libssh2 is taken where it can do it") {
  CHECK_FALSE(takes_client(usual()));
  Facts facts = usual();
  facts.known.clear();
  CHECK_FALSE(takes_client(facts));
  facts.identities.clear();
  CHECK_FALSE(takes_client(facts));
}

TEST_CASE("the client is taken where it is asked for, or where there is nothing else") {
  Facts facts = usual();
  facts.client_is_forced = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.client_has_args = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.has_libssh2 = false;
  CHECK(takes_client(facts));
}

TEST_CASE("the client is taken for what libssh2 cannot do") {
  Facts facts = usual();
  facts.settings.has_proxy = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.has_control_socket = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.settings.has_token = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.settings.has_certificate = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.identities[0].has_certificate = true;
  CHECK(takes_client(facts));
  facts = usual();
  facts.known = {{KnownKey::Mark::none, "ssh-rsa", "BBBB"}};
  CHECK(takes_client(facts));
  facts = usual();
  facts.known.push_back({KnownKey::Mark::authority, "ssh-ed25519", "CCCC"});
  CHECK(takes_client(facts));
  facts.has_client = false;
  CHECK_FALSE(takes_client(facts));
}

TEST_CASE("the keys decide, but an agent may have others") {
  for (const Identity& identity : {identity_of("ssh-rsa"), identity_of("sk-ssh-ed25519@openssh.com"),
                                   identity_of("ssh-ed25519", true)}) {
    Facts facts = usual();
    facts.identities = {identity};
    CHECK(takes_client(facts));
    facts.has_agent = true;
    CHECK_FALSE(takes_client(facts));
    facts.has_agent = false;
    facts.identities.push_back(identity_of("ecdsa-sha2-nistp256"));
    CHECK_FALSE(takes_client(facts));
  }
}

TEST_CASE("a Kerberos ticket counts where there is no key") {
  Facts facts = usual();
  facts.settings.gssapi = true;
  facts.has_ticket = true;
  CHECK_FALSE(takes_client(facts));
  facts.identities.clear();
  CHECK(takes_client(facts));
  facts.has_ticket = false;
  CHECK_FALSE(takes_client(facts));
}

TEST_CASE("the kind of a key is told without its secret") {
  CHECK(kind_of_key(openssh_key("none", "ssh-ed25519")) ==
        KeyKind{"ssh-ed25519", false, ssh_text("ssh-ed25519") + ssh_text("point")});
  CHECK(kind_of_key(openssh_key("aes256-ctr", "ssh-rsa"))->encrypted);
  CHECK(kind_of_key("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n")->type ==
        "ssh-rsa");
  CHECK(kind_of_key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END")->encrypted);
  CHECK_FALSE(kind_of_key("ssh-ed25519 AAAA comment").has_value());
  CHECK_FALSE(kind_of_key("").has_value());
  CHECK_FALSE(kind_of_key("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END").has_value());
  CHECK_FALSE(kind_of_key("-----BEGIN OPENSSH PRIVATE KEY-----\n***\n-----END").has_value());
  std::string cut = openssh_key("none", "ssh-ed25519");
  CHECK_FALSE(kind_of_key(cut.substr(0, 70) + "\n-----END").has_value());
}
