// Listeners and diallers of TLS that meet within one test.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/wire/test_ca.h"
#include "wire/tls.h"

using Socket = boost::asio::local::stream_protocol::socket;
using Stream = tenkai::ssl::stream<Socket>;

tenkai::WallTime now();

// These fail the test where they cannot.
tenkai::TlsIdentity identity_of(tenkai::Result<tenkai::TlsIdentity> made);
tenkai::TlsIdentity new_identity(const std::vector<std::string>& hosts = {"login1"});
tenkai::TlsIdentity load(const std::string& pem, const std::string& password = "");
tenkai::TlsIdentity identity_for(const Issued& issued);
tenkai::TlsDialler dialler_of(tenkai::TlsTrust trust);
tenkai::TlsDialler expecting(const tenkai::Digest& pin);
tenkai::TlsDialler trusting(const std::string& chain);

// Whether `text` holds `part`; if not, the test shows both.
bool says(const std::string& text, std::string_view part);

// Two ends of one connection in this process. Who fails hangs up.
struct Meeting {
  boost::asio::io_context io;
  Stream listener, dialler;
  std::string listener_failed = "did not end", dialler_failed = "did not end";
  std::shared_ptr<std::string> why = std::make_shared<std::string>();

  Meeting(tenkai::ssl::context& listening, tenkai::ssl::context& dialling);
  // The dialler is prepared.
  Meeting(const tenkai::TlsIdentity& identity, const tenkai::TlsDialler& dials, const std::string& host);

  Meeting& shake_hands();
  bool met() const { return listener_failed.empty() && dialler_failed.empty(); }
};

// What the dialler says of this listener; nothing when both are content.
std::string dialled(const tenkai::TlsIdentity& identity, const tenkai::TlsDialler& dialler,
                    const std::string& host);

// The authority of a site, with a certificate that it signed through another one.
struct Site {
  Issued root, between, login1;  // login1 is also 10.0.0.1

  explicit Site(const std::string& key = "EC");
  tenkai::TlsIdentity identity() const;
};
const Site& site();
