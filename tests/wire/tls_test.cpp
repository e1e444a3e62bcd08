#include "wire/tls.h"

#include <openssl/err.h>
#include <unistd.h>

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>

#include "tests/catch.h"
#include "tests/wire/tls_meeting.h"

using namespace tenkai;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// What an end says whose peer is no TLS: it says `speech`, and will hear an answer.
std::string met_by_stranger(ssl::context& context, ssl::stream_base::handshake_type side,
                            const std::string& speech, const TlsDialler* dialler = nullptr) {
  asio::io_context io;
  Stream stream(io, context);
  Socket stranger(io);
  asio::local::connect_pair(stream.next_layer(), stranger);
  auto why = std::make_shared<std::string>();
  if (dialler != nullptr) REQUIRE(dialler->prepare(stream.native_handle(), "login1", why));
  std::string said = "did not end";
  stream.async_handshake(side, [&](boost::system::error_code failed) {
    said = failed ? tls_failure(failed, *why) : "";
    stream.next_layer().close();
  });
  asio::write(stranger, asio::buffer(speech));
  stranger.shutdown(Socket::shutdown_send);
  io.run_for(20s);
  return said;
}

std::string program() {
  char path[4096];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  REQUIRE(size > 0);
  return std::string(path, static_cast<std::size_t>(size));
}

double cpu_milliseconds() {
  std::timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

// ---- the pin

TEST_CASE("a dialler with the pin reaches its listener, whatever the host is called") {
  TlsIdentity identity = new_identity({"login1", "10.0.0.1", "fe80::1%lo"});
  std::string host = GENERATE("login1", "another.example", "127.0.0.1", "::1", "", "login1.");

  CHECK(dialled(identity, expecting(identity.pin()), host) == "");
}

TEST_CASE("a dialler refuses a listener with another key, even one of the same name") {
  TlsIdentity ours = new_identity(), impostor = new_identity();

  Meeting meeting(impostor, expecting(ours.pin()), "login1");
  meeting.shake_hands();

  CHECK(says(meeting.dialler_failed, "not the dispatcher that this credential was made for"));
  CHECK(says(meeting.listener_failed, "does not trust the certificate it was shown"));
}

TEST_CASE("the right key does not make up for wrong dates") {
  TlsIdentity expired = identity_of(TlsIdentity::make({"login1"}, now() - std::chrono::hours(24 * 30)));
  TlsIdentity early = identity_of(TlsIdentity::make({"login1"}, now() + 1h));

  CHECK(says(dialled(expired, expecting(expired.pin()), "login1"), "its certificate expired on 2"));
  CHECK(says(dialled(early, expecting(early.pin()), "login1"), "its certificate is not valid before 2"));
  CHECK(says(dialled(early, expecting(early.pin()), "login1"), "(the clock here says 2"));
}

TEST_CASE("clocks may differ by five minutes") {
  TlsIdentity ahead = identity_of(TlsIdentity::make({"login1"}, now() + 4min));

  CHECK(dialled(ahead, expecting(ahead.pin()), "login1") == "");
}

TEST_CASE("a connection that was not prepared trusts nobody") {
  TlsIdentity identity = new_identity();
  TlsDialler dialler = expecting(identity.pin());

  Meeting meeting(*identity.context(), *dialler.context());
  meeting.shake_hands();

  CHECK(says(meeting.dialler_failed, "was not accepted"));
  CHECK_FALSE(meeting.listener_failed.empty());
}

TEST_CASE("a dialler that has nothing to go by is not made") {
  Result<TlsDialler> made = TlsDialler::make({});

  REQUIRE_FALSE(made);
  CHECK(says(made.error().message, "something to know the other end by"));
}

TEST_CASE("a connection that is prepared twice keeps to the second host") {
  TlsDialler dialler = trusting(site().root.pem());
  Meeting meeting(site().identity(), dialler, "elsewhere");
  REQUIRE(dialler.prepare(meeting.dialler.native_handle(), "login1", meeting.why));

  CHECK(meeting.shake_hands().met());
}

TEST_CASE("a host name too long for TLS is refused before anything is sent") {
  TlsIdentity identity = new_identity();
  TlsDialler dialler = expecting(identity.pin());
  Meeting meeting(*identity.context(), *dialler.context());

  Result<Done> prepared =
      dialler.prepare(meeting.dialler.native_handle(), std::string(300, 'a'), meeting.why);

  REQUIRE_FALSE(prepared);
  CHECK(says(prepared.error().message, "cannot be dialled with TLS"));
}

// ---- the certificate that we make

TEST_CASE("an identity made for hosts names them, and is nobody's authority") {
  TlsIdentity identity = new_identity({"login1", "10.0.0.1", "fe80::1", "with space", "a,DNS:evil"});
  X509* certificate = SSL_CTX_get0_certificate(identity.context()->native_handle());

  CHECK(hosts_of(*certificate) == "login1, 10.0.0.1, fe80::1");
  CHECK(subject_of(*certificate) == "login1");
  CHECK(X509_check_ca(certificate) == 0);
  CHECK(X509_get_version(certificate) == X509_VERSION_3);
  CHECK(X509_get_key_usage(certificate) == KU_DIGITAL_SIGNATURE);
  CHECK(X509_get_extended_key_usage(certificate) == XKU_SSL_SERVER);
  CHECK(X509_get0_subject_key_id(certificate) != nullptr);
  CHECK(ASN1_STRING_length(X509_get0_serialNumber(certificate)) >= 14);
  CHECK_FALSE(out_of_date(*certificate, now() - 4min));
  CHECK(out_of_date(*certificate, now() - 6min));
  CHECK_FALSE(out_of_date(*certificate, now() + 7 * 24h - 1min));
  CHECK(out_of_date(*certificate, now() + 7 * 24h + 1min));
}

TEST_CASE("an identity can be made for no host, and for one too long or too odd for a certificate") {
  std::string host =
      GENERATE(std::string(), std::string(200, 'a'), std::string("b\xc3\xbcro"), std::string("a\0b", 3));
  TlsIdentity identity = new_identity(host.empty() ? std::vector<std::string>() : std::vector{host});

  CHECK(dialled(identity, expecting(identity.pin()), "localhost") == "");
}

TEST_CASE("no two identities share a key") { CHECK(new_identity().pin() != new_identity().pin()); }

TEST_CASE("an identity that is written down and loaded again is the same") {
  TlsIdentity identity = GENERATE(true, false) ? new_identity() : site().identity();
  std::string kept = identity.private_pem();

  TlsIdentity loaded = load(kept);

  CHECK(loaded.pin() == identity.pin());
  CHECK(loaded.certificate_pem() == identity.certificate_pem());
  CHECK(loaded.private_pem() == kept);
  CHECK(dialled(loaded, expecting(identity.pin()), "login1") == "");
  CHECK(identity.certificate_pem().find("PRIVATE") == std::string::npos);
}

TEST_CASE("the certificate that we make can be trusted as a chain of one") {
  TlsIdentity identity = new_identity({"login1", "10.0.0.1"});
  TlsDialler dialler = trusting(identity.certificate_pem());

  CHECK(dialled(identity, dialler, "login1") == "");
  CHECK(dialled(identity, dialler, "10.0.0.1") == "");
  CHECK(says(dialled(identity, dialler, "login2"), "is for login1, 10.0.0.1, not for login2"));
}

// ---- those who speak otherwise

TEST_CASE("an older TLS is refused on either side, and both say so") {
  TlsIdentity identity = new_identity();
  ssl::context old_dialler(ssl::context::tlsv12_client);
  Meeting accepts(*identity.context(), old_dialler);
  CHECK(says(accepts.shake_hands().listener_failed, "the other end speaks no TLS 1.3"));
  CHECK(says(accepts.dialler_failed, "the other end speaks no TLS 1.3"));

  ssl::context old_listener(ssl::context::tlsv12_server);
  SSL_CTX* from = identity.context()->native_handle();
  SSL_CTX_use_cert_and_key(old_listener.native_handle(), SSL_CTX_get0_certificate(from),
                           SSL_CTX_get0_privatekey(from), nullptr, 1);
  TlsDialler dialler = expecting(identity.pin());
  Meeting dials(old_listener, *dialler.context());
  CHECK(says(dials.shake_hands().dialler_failed, "speaks no TLS 1.3"));
}

TEST_CASE("a listener says of those who speak no TLS that they do not") {
  TlsIdentity identity = new_identity();
  std::string speech =
      GENERATE(std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("Tk hello, this is long enough"),
               std::string(100, '\0'), std::string("SSH-2.0-OpenSSH_9.2\r\n"));

  std::string said = met_by_stranger(*identity.context(), ssl::stream_base::server, speech);

  CHECK(says(said, "the other end does not speak TLS"));
}

TEST_CASE("a dialler says of those who speak no TLS that they do not, or that they hung up") {
  TlsIdentity identity = new_identity();
  TlsDialler dialler = expecting(identity.pin());
  auto said_of = [&](const std::string& speech) {
    return met_by_stranger(*dialler.context(), ssl::stream_base::client, speech, &dialler);
  };

  CHECK(says(said_of("HTTP/1.1 400 Bad Request\r\n\r\n"), "the other end does not speak TLS"));
  CHECK(says(said_of("Tk welcome, this is long enough"), "the other end does not speak TLS"));
  CHECK(says(said_of(""), "closed the connection during the TLS handshake"));
}

TEST_CASE("an error from elsewhere keeps its own words") {
  CHECK(tls_failure(asio::error::timed_out, "") ==
        boost::system::error_code(asio::error::timed_out).message());
  CHECK(tls_failure(asio::error::timed_out, "its certificate expired") == "its certificate expired");
}

TEST_CASE("a dialler takes no chain that is larger than allowed") {
  Issued huge = issue({.common_name = "login1", .ballast = 20000});
  ssl::context context(ssl::context::tls_server);
  SSL_CTX_use_cert_and_key(context.native_handle(), huge.certificate.get(), huge.key.get(), nullptr, 1);
  TlsDialler dialler = trusting(huge.pem());
  Meeting meeting(context, *dialler.context());
  REQUIRE(dialler.prepare(meeting.dialler.native_handle(), "login1", meeting.why));

  CHECK(says(meeting.shake_hands().dialler_failed, "more in its TLS handshake than is allowed"));
}

// ---- what a connection is like

TEST_CASE("a connection is TLS 1.3, asks for no certificate, and leaves nothing to resume") {
  TlsIdentity identity = new_identity();
  TlsDialler dialler = expecting(identity.pin());
  Meeting meeting(identity, dialler, "login1");
  REQUIRE(meeting.shake_hands().met());
  SSL* listening = meeting.listener.native_handle();
  SSL* dialling = meeting.dialler.native_handle();
  char byte = 0;
  asio::write(meeting.listener, asio::buffer("x", 1));
  asio::read(meeting.dialler, asio::buffer(&byte, 1));

  CHECK(SSL_version(listening) == TLS1_3_VERSION);
  CHECK(SSL_get_verify_mode(listening) == SSL_VERIFY_NONE);
  CHECK(SSL_get_verify_mode(dialling) == SSL_VERIFY_PEER);
  CHECK(SSL_SESSION_is_resumable(SSL_get_session(dialling)) == 0);
  CHECK(SSL_get_max_early_data(listening) == 0);
  CHECK(SSL_SESSION_get_max_early_data(SSL_get_session(dialling)) == 0);
  CHECK(SSL_CTX_sess_number(identity.context()->native_handle()) == 0);
  CHECK(SSL_CTX_get_security_level(identity.context()->native_handle()) == 2);
  CHECK(SSL_renegotiate(dialling) == 0);
  CHECK(SSL_renegotiate(listening) == 0);
  ERR_clear_error();
}

TEST_CASE("a name is announced to the listener, an address is not") {
  TlsIdentity identity = new_identity();
  TlsDialler dialler = expecting(identity.pin());
  auto announced = [&](const std::string& host) {
    Meeting meeting(identity, dialler, host);
    REQUIRE(meeting.shake_hands().met());
    const char* name = SSL_get_servername(meeting.listener.native_handle(), TLSEXT_NAMETYPE_host_name);
    return std::string(name == nullptr ? "(none)" : name);
  };

  CHECK(announced("login1") == "login1");
  CHECK(announced("login1.") == "login1");
  CHECK(announced("10.0.0.1") == "(none)");
  CHECK(announced("fe80::1%lo") == "(none)");
}

TEST_CASE("the channel binding is equal at both ends and another on each connection") {
  TlsIdentity identity = new_identity();
  TlsDialler dialler = expecting(identity.pin());
  Meeting first(identity, dialler, "login1"), second(identity, dialler, "login1");
  CHECK_FALSE(channel_binding(first.dialler.native_handle()));
  REQUIRE(first.shake_hands().met());
  REQUIRE(second.shake_hands().met());

  Result<Digest> a = channel_binding(first.listener.native_handle());
  Result<Digest> b = channel_binding(first.dialler.native_handle());
  Result<Digest> c = channel_binding(second.dialler.native_handle());

  REQUIRE((a && b && c));
  CHECK(*a == *b);
  CHECK(*a != *c);
  CHECK(*a != Digest{});
}

TEST_CASE("identity and dialler may go while a connection of theirs lives") {
  auto identity = std::make_unique<TlsIdentity>(new_identity());
  auto dialler = std::make_unique<TlsDialler>(expecting(identity->pin()));
  Meeting meeting(*identity, *dialler, "login1");
  identity.reset();
  dialler.reset();

  CHECK(meeting.shake_hands().met());
}

// ---- the machine's configuration

// Run by the test below, in a process of its own.
TEST_CASE("with OPENSSL_CONF", "[.openssl_conf]") {
  TlsIdentity identity = new_identity();

  CHECK(dialled(identity, expecting(identity.pin()), "login1") == "");
}

TEST_CASE("OpenSSL's configuration file is never read") {
  char path[] = "/tmp/tenkai-openssl-XXXXXX";
  int file = ::mkstemp(path);
  REQUIRE(file >= 0);
  ::close(file);
  // A property query that nothing fulfils: with it, there is no algorithm at all.
  std::ofstream(path) << "openssl_conf = all\n[all]\nalg_section = algorithms\n[algorithms]\n"
                         "default_properties = tenkai=none\n";
  std::string command =
      "OPENSSL_CONF=" + std::string(path) + " '" + program() + "' '[.openssl_conf]' >/dev/null";

  CHECK(std::system(command.c_str()) == 0);
  ::unlink(path);
}

// ---- costs

TEST_CASE("what identities and handshakes cost", "[.cost]") {
  constexpr int rounds = 300;
  new_identity();
  double before = cpu_milliseconds();
  for (int i = 0; i < rounds; ++i) new_identity();
  double made = (cpu_milliseconds() - before) / rounds;

  auto handshakes = [](const TlsIdentity& identity, const TlsDialler& dialler) {
    double start = cpu_milliseconds();
    for (int i = 0; i < rounds; ++i) REQUIRE(Meeting(identity, dialler, "login1").shake_hands().met());
    return (cpu_milliseconds() - start) / rounds;
  };
  TlsIdentity identity = new_identity();
  Site rsa("RSA");
  std::cout << "an identity: " << made << " ms; a handshake, both ends: by pin "
            << handshakes(identity, expecting(identity.pin())) << " ms, by a chain of three EC "
            << handshakes(site().identity(), trusting(site().root.pem())) << " ms, RSA-2048 "
            << handshakes(rsa.identity(), trusting(rsa.root.pem())) << " ms\n";
}
