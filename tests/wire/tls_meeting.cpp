#include "tests/wire/tls_meeting.h"

#include <boost/asio/local/connect_pair.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

WallTime now() { return std::chrono::system_clock::now(); }

TlsIdentity identity_of(Result<TlsIdentity> made) {
  if (!made) FAIL(made.error().message);
  return *std::move(made);
}
TlsIdentity new_identity(const std::vector<std::string>& hosts) {
  return identity_of(TlsIdentity::make(hosts, now()));
}
TlsIdentity load(const std::string& pem, const std::string& password) {
  return identity_of(TlsIdentity::load(pem, password, now()));
}
TlsIdentity identity_for(const Issued& issued) { return load(issued.pem() + issued.key_pem()); }

TlsDialler dialler_of(TlsTrust trust) {
  Result<TlsDialler> made = TlsDialler::make(std::move(trust));
  if (!made) FAIL(made.error().message);
  return *std::move(made);
}
TlsDialler expecting(const Digest& pin) { return dialler_of({pin, "", false}); }
TlsDialler trusting(const std::string& chain) { return dialler_of({std::nullopt, chain, false}); }

bool says(const std::string& text, std::string_view part) {
  if (text.find(part) != text.npos) return true;
  UNSCOPED_INFO("\"" << text << "\" does not say \"" << part << "\"");
  return false;
}

Meeting::Meeting(ssl::context& listening, ssl::context& dialling)
    : listener(io, listening), dialler(io, dialling) {
  boost::asio::local::connect_pair(listener.next_layer(), dialler.next_layer());
}

Meeting::Meeting(const TlsIdentity& identity, const TlsDialler& dials, const std::string& host)
    : Meeting(*identity.context(), *dials.context()) {
  Result<Done> prepared = dials.prepare(dialler.native_handle(), host, why);
  REQUIRE(prepared);
}

Meeting& Meeting::shake_hands() {
  dialler.async_handshake(ssl::stream_base::client, [this](boost::system::error_code failed) {
    dialler_failed = failed ? tls_failure(failed, *why) : "";
    if (failed) dialler.next_layer().close();
  });
  listener.async_handshake(ssl::stream_base::server, [this](boost::system::error_code failed) {
    listener_failed = failed ? tls_failure(failed, "") : "";
    if (failed) listener.next_layer().close();
  });
  io.run_for(20s);
  io.restart();
  return *this;
}

std::string dialled(const TlsIdentity& identity, const TlsDialler& dialler, const std::string& host) {
  Meeting meeting(identity, dialler, host);
  meeting.shake_hands();
  // Neither may believe in a connection that the other has given up.
  CHECK(meeting.listener_failed.empty() == meeting.dialler_failed.empty());
  return meeting.dialler_failed;
}

Site::Site(const std::string& key) {
  root = issue({.common_name = "Site Root", .authority = true, .key = key});
  between = issue({.common_name = "Site Daily", .authority = true, .key = key}, &root);
  login1 = issue({.common_name = "login1", .names = {"DNS:login1", "IP:10.0.0.1"}, .key = key}, &between);
}

TlsIdentity Site::identity() const { return load(login1.pem() + between.pem() + login1.key_pem()); }

const Site& site() {
  static const Site made;
  return made;
}
