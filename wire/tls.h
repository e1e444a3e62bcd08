// TLS 1.3: what a listener shows, and how a dialler knows whom it has reached.
//
// By default nobody configures anything: the listener makes a key in memory, and
// the credential of each daemon holds the pin of that key, so that a stranger who
// listens in its place gets nothing. Or the user brings a certificate that an
// authority has signed, and the daemons check its chain and its host names.
//
// Who dials shows no certificate. It proves itself by its credential, above TLS,
// bound to this very connection by channel_binding().
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/certificate.h"

namespace tenkai {
namespace ssl = boost::asio::ssl;

// What a listener shows: a key, a certificate (chain), and the pin by which a
// credential names it (the SHA-256 of the leaf's public key).
class TlsIdentity {
 public:
  // A P-256 key and a self-signed certificate, in memory. `hosts`: names or IP
  // addresses, without brackets, under which it will be dialled.
  static Result<TlsIdentity> make(const std::vector<std::string>& hosts, WallTime now,
                                  std::chrono::seconds life = std::chrono::hours(24 * 7));
  // From PEM text: a certificate, the rest of its chain, and a private key, in any
  // order. Refuses what no dialler would accept, and says why.
  static Result<TlsIdentity> load(std::string_view pem, std::string_view password, WallTime now);

  const std::shared_ptr<ssl::context>& context() const { return context_; }  // for accepting
  const Digest& pin() const { return pin_; }
  std::string certificate_pem() const;  // the leaf
  // Certificate, chain and unencrypted key, for a credential file that is kept
  // (0600) across sessions: load() takes it. The caller wipes it.
  std::string private_pem() const;

 private:
  TlsIdentity(std::shared_ptr<ssl::context> context, const Digest& pin)
      : context_(std::move(context)), pin_(pin) {}
  static Result<TlsIdentity> show(const KeyAndChain& shown);

  std::shared_ptr<ssl::context> context_;
  Digest pin_;
};

// How a dialler knows that it has reached the right one: by the pin (then only the
// dates of the certificate count besides), or by certificates that it trusts and
// the host name. `chain` may hold the listener's own certificate, its authority's,
// those between, or only some of them: whatever is in it is trusted.
struct TlsTrust {
  std::optional<Digest> pin;
  std::string chain;                // PEM; when not empty it is used and the pin is not
  bool system_authorities = false;  // neither: the authorities this machine trusts
};

// Holds the context for dialling; one for each trust.
class TlsDialler {
 public:
  static Result<TlsDialler> make(TlsTrust trust);

  const std::shared_ptr<ssl::context>& context() const { return context_; }
  // Sets what this connection must check. `host` is that of the URL, without
  // brackets; empty is localhost, as in dial(). To be called before the handshake:
  // a connection without it trusts nobody. When the check fails, `why` holds the
  // reason in words, for tls_failure().
  Result<Done> prepare(SSL* connection, const std::string& host, std::shared_ptr<std::string> why) const;

 private:
  TlsDialler(std::shared_ptr<ssl::context> context, std::optional<Digest> pin)
      : context_(std::move(context)), pin_(pin) {}

  std::shared_ptr<ssl::context> context_;
  std::optional<Digest> pin_;  // nothing: the store of the context decides
};

// For people: "its certificate expired on 2026-01-02 10:00 UTC", "the other end does
// not speak TLS". From `why` when it is not empty, else from what OpenSSL says.
std::string tls_failure(const boost::system::error_code& failed, const std::string& why);

// 32 bytes that are equal at both ends of this connection and at no other (RFC 9266,
// tls-exporter). A proof that contains them cannot be relayed. After the handshake.
Result<Digest> channel_binding(SSL* connection);

}  // namespace tenkai
