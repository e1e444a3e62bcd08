#include "wire/pem.h"

#include <openssl/err.h>

#include <optional>

#include "tests/catch.h"
#include "tests/wire/tls_meeting.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

std::string why_not_loaded(const std::string& pem, const std::string& password = "") {
  Result<TlsIdentity> loaded = TlsIdentity::load(pem, password, now());
  return loaded ? "it was loaded" : loaded.error().message;
}

}  // namespace

TEST_CASE("certificate, chain and key may stand in any order, among anything else") {
  std::string cert = site().login1.pem(), between = site().between.pem(), root = site().root.pem();
  std::string key = site().login1.key_pem();
  std::string crlf = cert + key;
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != crlf.npos; at += 2) crlf.replace(at, 1, "\r\n");
  std::string joined = cert.substr(0, cert.size() - 1) + key;

  for (const std::string& pem :
       {cert + key, key + cert, cert + between + key, root + between + key + cert, crlf, joined,
        "Subject: me\n-----BEGIN of prose\n" + cert + "\0x7f junk\n\n" + key + "bye",
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + key + cert}) {
    TlsIdentity identity = load(pem);
    CHECK(dialled(identity, trusting(site().between.pem()), "login1") == "");
  }
}

TEST_CASE("the chain is sent in order and without the root, whatever the order of the file") {
  TlsIdentity identity = load(site().root.pem() + site().login1.key_pem() + site().between.pem() +
                              new_identity().certificate_pem() + site().login1.pem());

  CHECK(identity.private_pem() == site().login1.pem() + site().between.pem() + site().login1.key_pem());
}

TEST_CASE("keys are read in the old and the new form, encrypted or not") {
  Site rsa("RSA");
  Site ec;
  for (const Site* made : {&rsa, &ec}) {
    const Issued& issued = made->login1;
    load(issued.pem() + traditional_key(issued));
    load(issued.pem() + traditional_key(issued, "secret word"), "secret word");
    load(issued.pem() + encrypted_pkcs8(issued, "secret word"), "secret word");
    load(issued.pem() + issued.key_pem(), "not needed");
  }
}

TEST_CASE("a password that is missing or wrong is said, and never shown") {
  const Issued& issued = site().login1;
  for (const std::string& key :
       {encrypted_pkcs8(issued, "secret word"), traditional_key(issued, "secret word")}) {
    CHECK(says(why_not_loaded(issued.pem() + key), "no password was given: give it as `pass`"));
    std::string wrong = why_not_loaded(issued.pem() + key, "sesame");
    CHECK(says(wrong, "the password is wrong"));
    CHECK(wrong.find("sesame") == wrong.npos);
    CHECK(says(why_not_loaded(issued.pem() + key, std::string(5000, 'x')), "the password is wrong"));
  }
}

TEST_CASE("what is no certificate with its key is refused with the reason") {
  const Issued& issued = site().login1;
  std::string pem = issued.pem(), key = issued.key_pem();
  std::string damaged = pem;
  damaged.replace(200, 4, "AAAA");

  CHECK(says(why_not_loaded(""), "No certificate was found"));
  CHECK(says(why_not_loaded("hello"), "No certificate was found"));
  CHECK(says(why_not_loaded(key), "No certificate was found"));
  CHECK(says(why_not_loaded(signing_request(issued) + key), "send it to your certificate authority"));
  CHECK(says(why_not_loaded(pem), "No private key was found"));
  CHECK(says(why_not_loaded(pem + site().between.key_pem() + key), "more than one private key"));
  CHECK(says(why_not_loaded(pem + site().between.key_pem()), "does not fit the certificate of login1"));
  CHECK(says(why_not_loaded(pem + key.substr(0, 100)), "cut off"));
  CHECK(says(why_not_loaded(pem.substr(0, 300) + key), "cut off"));
  CHECK(says(why_not_loaded("-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----\n" + key),
             "cannot be read"));
  CHECK(says(why_not_loaded(pem + "-----BEGIN PRIVATE KEY-----\nZm9v\n-----END PRIVATE KEY-----\n"),
             "cannot be read"));
  CHECK_FALSE(says(why_not_loaded(damaged + key), "it was loaded"));
  CHECK(says(why_not_loaded(std::string(1 << 20, 'x')), "at most 65536 bytes"));
  CHECK_FALSE(TlsDialler::make({std::nullopt, std::string(1 << 20, 'x'), false}));
  CHECK_FALSE(TlsDialler::make({std::nullopt, "hello", true}));
  CHECK_FALSE(TlsDialler::make({new_identity().pin(), "hello", false}));
}

TEST_CASE("a certificate that nobody would accept is refused when it is loaded") {
  Issued expired = issue({.common_name = "login1", .until = -10min});
  Issued early = issue({.common_name = "login1", .from = 10min});
  Issued weak = issue({.common_name = "login1", .key = "RSA", .bits = 1024});
  Issued root = issue({.common_name = "Root", .authority = true});
  Issued old = issue({.common_name = "Old Daily", .authority = true, .until = -10min}, &root);
  Issued of_old = issue({.common_name = "login1"}, &old);
  Issued huge = issue({.common_name = "login1", .ballast = 17000});

  CHECK(says(why_not_loaded(expired.pem() + expired.key_pem()), "The certificate of login1 expired on 2"));
  CHECK(says(why_not_loaded(early.pem() + early.key_pem()), "is not valid before 2"));
  CHECK(says(why_not_loaded(weak.pem() + weak.key_pem()), "ee key too small"));
  CHECK(says(why_not_loaded(of_old.pem() + old.pem() + of_old.key_pem()),
             "the authority Old Daily expired on 2"));
  CHECK(says(why_not_loaded(huge.pem() + huge.key_pem()), "more than the 16384 bytes"));
}

TEST_CASE("a PEM text cut anywhere is refused, and leaves no error behind") {
  std::string pem = site().login1.pem() + site().login1.key_pem();
  for (std::size_t size = 0; size + 2 < pem.size(); size += 7) {
    CHECK_FALSE(TlsIdentity::load(std::string_view(pem).substr(0, size), "", now()));
    CHECK(ERR_peek_error() == 0);
  }
}
