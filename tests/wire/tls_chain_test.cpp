// Listeners with certificates of an authority, and diallers that check them.
#include <optional>
#include <string>

#include "tests/catch.h"
#include "tests/wire/tls_meeting.h"

using namespace tenkai;
using namespace std::chrono_literals;

TEST_CASE("a chain is trusted whole, from the root alone, and from any part of it") {
  std::string key = GENERATE("EC", "RSA");
  Site signed_by(key);
  std::string leaf = signed_by.login1.pem(), between = signed_by.between.pem(), root = signed_by.root.pem();
  TlsIdentity identity = signed_by.identity();

  for (const std::string& chain :
       {leaf + between + root, root, between + root, between, leaf, leaf + between}) {
    CHECK(dialled(identity, trusting(chain), "login1") == "");
    CHECK(dialled(identity, trusting(chain), "10.0.0.1") == "");
    CHECK(says(dialled(identity, trusting(chain), "login2"), "for login1, 10.0.0.1, not for login2"));
  }
}

TEST_CASE("a listener that leaves out what is between is believed by a dialler that has it") {
  TlsIdentity identity = identity_for(site().login1);

  CHECK(dialled(identity, trusting(site().between.pem() + site().root.pem()), "login1") == "");
  CHECK(says(dialled(identity, trusting(site().root.pem()), "login1"),
             "issued by Site Daily, which is not among those trusted"));
}

TEST_CASE("the authority of somebody else is refused, also one of the same name") {
  Site other;
  Issued stranger = issue({.common_name = "Elsewhere", .authority = true});

  CHECK(says(dialled(site().identity(), trusting(stranger.pem()), "login1"), "not among those trusted here"));
  CHECK(says(dialled(site().identity(), trusting(other.root.pem()), "login1"), "Site Root"));
  CHECK(says(dialled(site().identity(), trusting(other.login1.pem()), "login1"), "not among those trusted"));
}

TEST_CASE("a self-signed certificate works as its own chain, made for servers or for anything") {
  Issued plain = issue({.common_name = "login1", .names = {"DNS:login1"}});
  Issued authority =
      issue({.common_name = "login1", .names = {"DNS:login1"}, .authority = true, .key = "RSA"});

  CHECK(dialled(identity_for(plain), trusting(plain.pem()), "login1") == "");
  CHECK(dialled(identity_for(authority), trusting(authority.pem()), "login1") == "");
  CHECK(says(dialled(identity_for(plain), trusting(authority.pem()), "login1"), "not among those trusted"));
}

TEST_CASE("what is out of date in a chain is named with its date") {
  Issued root = issue({.common_name = "Root", .authority = true});
  Issued old_root = issue({.common_name = "Old", .authority = true, .until = -10min});
  Issued early = issue({.common_name = "login1", .from = 10min}, &root);
  Issued expired = issue({.common_name = "login1", .until = -10min}, &root);
  Issued of_old = issue({.common_name = "login1"}, &old_root);

  auto refused = [](const Issued& shown, const Issued& trusted) {
    // As load() would refuse it now, it is loaded at a time when it was valid.
    WallTime then =
        now() + (X509_cmp_current_time(X509_get0_notAfter(shown.certificate.get())) < 0 ? -30min : 30min);
    TlsIdentity identity = identity_of(TlsIdentity::load(shown.pem() + shown.key_pem(), "", then));
    return dialled(identity, trusting(trusted.pem()), "login1");
  };
  CHECK(says(refused(early, root), "its certificate is not valid before 2"));
  CHECK(says(refused(expired, root), "its certificate expired on 2"));
  CHECK(says(refused(expired, expired), "its certificate expired on 2"));
  CHECK(says(refused(of_old, old_root), "the certificate of its authority Old expired on 2"));
}

TEST_CASE("the common name counts only where there is no other name") {
  Issued root = issue({.common_name = "Root", .authority = true});
  TlsDialler dialler = trusting(root.pem());
  auto refused = [&](const CertificateOptions& options, const std::string& host) {
    return dialled(identity_for(issue(options, &root)), dialler, host);
  };

  CHECK(refused({.common_name = "login1"}, "login1") == "");
  CHECK(refused({.common_name = "login1"}, "LOGIN1") == "");
  CHECK(refused({.common_name = "10.0.0.1"}, "10.0.0.1") == "");
  CHECK(refused({.common_name = "fd00::1"}, "fd00:0::1") == "");
  CHECK(says(refused({.common_name = "login1"}, "login2"), "is for login1, not for login2"));
  CHECK(says(refused({.common_name = "10.0.0.1"}, "10.0.0.2"), "is for 10.0.0.1, not for 10.0.0.2"));
  CHECK(says(refused({.common_name = "login1", .names = {"DNS:login2"}}, "login1"), "is for login2"));
  CHECK(says(refused({.common_name = "login1", .names = {"IP:10.0.0.1"}}, "login1"), "is for 10.0.0.1"));
  CHECK(says(refused({.common_name = "10.0.0.1", .names = {"DNS:login1"}}, "10.0.0.1"), "is for login1"));
  CHECK(says(refused({.common_name = "login1", .names = {"email:a@login1"}}, "login1"), "is for no host"));
}

TEST_CASE("addresses are compared as addresses, and are no names") {
  Issued root = issue({.common_name = "Root", .authority = true});
  TlsDialler dialler = trusting(root.pem());
  TlsIdentity v6 = identity_for(issue({.names = {"IP:fe80::1"}}, &root));
  TlsIdentity as_name = identity_for(issue({.names = {"DNS:10.0.0.1"}}, &root));

  CHECK(dialled(v6, dialler, "fe80:0:0::1") == "");
  CHECK(dialled(v6, dialler, "fe80::1%lo") == "");
  CHECK(says(dialled(v6, dialler, "fe80::2"), "is for fe80::1, not for fe80::2"));
  CHECK(says(dialled(as_name, dialler, "10.0.0.1"),
             "is for 10.0.0.1 as a name (DNS: in place of IP:), not for 10.0.0.1"));
}

TEST_CASE("a wildcard stands for one whole label") {
  Issued root = issue({.common_name = "Root", .authority = true});
  TlsDialler dialler = trusting(root.pem());
  TlsIdentity whole = identity_for(issue({.names = {"DNS:*.site.example"}}, &root));
  TlsIdentity part = identity_for(issue({.names = {"DNS:log*.site.example"}}, &root));

  CHECK(dialled(whole, dialler, "login1.site.example") == "");
  CHECK_FALSE(dialled(whole, dialler, "a.login1.site.example").empty());
  CHECK_FALSE(dialled(whole, dialler, "site.example").empty());
  CHECK_FALSE(dialled(whole, dialler, ".site.example").empty());
  CHECK_FALSE(dialled(part, dialler, "login1.site.example").empty());
}

TEST_CASE("a certificate for other purposes, and one from somebody who is no authority, are refused") {
  Issued root = issue({.common_name = "Root", .authority = true});
  Issued client = issue({.common_name = "login1", .extended_usage = "clientAuth"}, &root);
  Issued nobody = issue({.common_name = "Nobody"}, &root);
  Issued forged = issue({.common_name = "login1"}, &nobody);
  TlsIdentity forger = load(forged.pem() + nobody.pem() + forged.key_pem());

  CHECK(says(dialled(identity_for(client), trusting(root.pem()), "login1"), "was not issued for servers"));
  CHECK(says(dialled(forger, trusting(root.pem()), "login1"), "Nobody"));
}

TEST_CASE("an authority with or without key usage is one") {
  std::string usage = GENERATE("", "critical,keyCertSign,cRLSign");
  Issued root = issue({.common_name = "Root", .authority = true, .key_usage = usage});

  CHECK(dialled(identity_for(issue({.common_name = "login1"}, &root)), trusting(root.pem()), "login1") == "");
}

TEST_CASE("the authorities of the machine do not know ours") {
  TlsDialler dialler = dialler_of({std::nullopt, "", true});

  CHECK(says(dialled(site().identity(), dialler, "login1"), "not among those trusted here"));
}

TEST_CASE("texts from a stranger's certificate cannot steer a terminal") {
  Issued root = issue({.common_name = "Root", .authority = true});
  Issued odd = issue({.common_name = "a\x1b[31mred\nline"}, &root);

  std::string said = dialled(identity_for(odd), trusting(root.pem()), "login1");

  CHECK(says(said, "a\\x1b[31mred\\nline"));
}
