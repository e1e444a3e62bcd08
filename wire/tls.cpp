#include "wire/tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/system/system_error.hpp>
#include <ctime>

#include "base/text.h"
#include "wire/pem.h"

namespace tenkai {
namespace {

using ContextPtr = std::shared_ptr<ssl::context>;

// ---- contexts

// Both ends are ours: no older version, nothing resumed, nothing early. The groups
// are the two quick ones; where X25519 is not allowed (FIPS) the other remains.
bool set_rules(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, static_cast<long>(max_sent_chain));
  SSL_CTX_set_security_level(context, 2);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1 &&
         SSL_CTX_set_ciphersuites(context,
                                  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                  "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
         (SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 ||
          SSL_CTX_set1_groups_list(context, "P-256") == 1);
}

Result<ContextPtr> new_context(ssl::context::method method) {
  start_openssl();
  ContextPtr context;
  try {
    context = std::make_shared<ssl::context>(method);
  } catch (const boost::system::system_error& error) {
    return Error{std::string("TLS cannot be set up: ") + error.code().message()};
  }
  if (!set_rules(context->native_handle())) return Error{"TLS cannot be set up: " + openssl_reason()};
  ERR_clear_error();
  return context;
}

// What is sent in the handshake: each certificate with its length, and that of the list.
std::size_t sent_size(const KeyAndChain& shown) {
  auto size_of = [](const CertificatePtr& certificate) {
    return 5 + static_cast<std::size_t>(std::max(0, i2d_X509(certificate.get(), nullptr)));
  };
  std::size_t size = 4 + size_of(shown.leaf);
  for (const CertificatePtr& issuer : shown.issuers) size += size_of(issuer);
  return size;
}

bool use(const KeyAndChain& shown, SSL_CTX* context) {
  if (SSL_CTX_use_cert_and_key(context, shown.leaf.get(), shown.key.get(), nullptr, 1) != 1) return false;
  for (const CertificatePtr& issuer : shown.issuers) {
    if (SSL_CTX_add1_chain_cert(context, issuer.get()) != 1) return false;
  }
  return true;
}

// ---- the check of one connection

// What a dialler expects of one connection. Kept inside it, freed with it.
struct Expected {
  std::optional<Digest> pin;
  std::string host;
  std::shared_ptr<std::string> why;
};

void free_expected(void*, void* expected, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Expected*>(expected);
}

int place_of_expected() {
  static const int place = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_expected);
  return place;
}

struct Refusal {
  int error;  // X509_V_ERR_...; decides the alert that the other end gets
  std::string why;
};

int code_of_date(const X509& certificate) {
  std::time_t now = std::time(nullptr);
  bool early = X509_cmp_time(X509_get0_notBefore(&certificate), &now) >= 0;
  return early ? X509_V_ERR_CERT_NOT_YET_VALID : X509_V_ERR_CERT_HAS_EXPIRED;
}

// The key first: the dates of a stranger's certificate explain nothing.
std::optional<Refusal> check_pin(const X509& leaf, const Digest& pin) {
  Result<Digest> shown = pin_of(leaf);
  if (!shown || CRYPTO_memcmp(shown->data(), pin.data(), pin.size()) != 0) {
    return Refusal{X509_V_ERR_CERT_UNTRUSTED,
                   "it is not the dispatcher that this credential was made for (it has another key)"};
  }
  if (auto wrong = out_of_date(leaf, std::chrono::system_clock::now())) {
    return Refusal{code_of_date(leaf), "its certificate " + *wrong};
  }
  return std::nullopt;
}

std::string words_for(int error, int depth, const X509* at) {
  std::string which =
      depth == 0 || at == nullptr ? "its certificate" : "the certificate of its authority " + subject_of(*at);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: {
      std::optional<std::string> wrong;
      if (at != nullptr) wrong = out_of_date(*at, std::chrono::system_clock::now());
      return which + " " + wrong.value_or("is out of date");
    }
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "its certificate was signed by nobody but itself, and is not among those trusted here";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return which + " was issued by " + (at == nullptr ? "an authority" : issuer_of(*at)) +
             ", which is not among those trusted here";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "its certificate comes from the authority " + (at == nullptr ? "" : subject_of(*at)) +
             ", which is not among those trusted here";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return which + " was not signed by the " + (at == nullptr ? "authority" : issuer_of(*at)) +
             " that is trusted here, but by another of that name";
    case X509_V_ERR_INVALID_PURPOSE: return which + " was not issued for servers";
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return "its certificate was issued by " + (at == nullptr ? "somebody" : subject_of(*at)) +
             ", who may not issue certificates";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return which + " has too small a key (RSA needs 2048 bits)";
    case X509_V_ERR_CA_MD_TOO_WEAK: return which + " is signed with a hash that is broken (SHA-1 or older)";
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return "its chain of certificates is too long";
    default: return which + " was refused: " + X509_verify_cert_error_string(error);
  }
}

// OpenSSL follows the chain; the names are compared here, because it would take no
// address from a common name and would take the common name where the other names
// are of another kind.
//
// X509_V_FLAG_X509_STRICT is not set: it refuses every authority made by
// `openssl req -x509`, which puts no key usage into it.
std::optional<Refusal> check_chain(X509_STORE_CTX* shown, const std::string& host) {
  if (X509_verify_cert(shown) != 1) {
    int error = X509_STORE_CTX_get_error(shown);
    std::string why =
        words_for(error, X509_STORE_CTX_get_error_depth(shown), X509_STORE_CTX_get_current_cert(shown));
    return Refusal{error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error, std::move(why)};
  }
  const X509& leaf = *X509_STORE_CTX_get0_cert(shown);
  if (is_for_host(leaf, host)) return std::nullopt;
  return Refusal{X509_V_ERR_HOSTNAME_MISMATCH,
                 "its certificate is for " + hosts_of(leaf) + ", not for " + printable(host)};
}

std::optional<Refusal> check(X509_STORE_CTX* shown, const Expected& expected) {
  const X509* leaf = X509_STORE_CTX_get0_cert(shown);
  if (leaf == nullptr) return Refusal{X509_V_ERR_UNSPECIFIED, "it shows no certificate"};
  return expected.pin ? check_pin(*leaf, *expected.pin) : check_chain(shown, expected.host);
}

// Called by OpenSSL in place of its own check.
int on_certificate(X509_STORE_CTX* shown, void*) noexcept {
  auto* connection =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(shown, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* expected = static_cast<Expected*>(SSL_get_ex_data(connection, place_of_expected()));
  if (expected == nullptr) {
    X509_STORE_CTX_set_error(shown, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  std::optional<Refusal> refusal = check(shown, *expected);
  X509_STORE_CTX_set_error(shown, refusal ? refusal->error : X509_V_OK);
  if (!refusal) return 1;
  if (expected->why) *expected->why = std::move(refusal->why);
  return 0;
}

Result<Done> trust_certificates(SSL_CTX* context, const std::string& pem) {
  Result<std::vector<CertificatePtr>> certificates = read_certificates(pem);
  if (!certificates) return certificates.error();
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const CertificatePtr& certificate : *certificates) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) {
      return Error{"A certificate of the chain cannot be used: " + openssl_reason()};
    }
  }
  // Whatever the user gave is trusted, not only roots.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return Done{};
}

Result<Done> trust_system(SSL_CTX* context) {
  if (SSL_CTX_set_default_verify_paths(context) == 1) return Done{};
  return Error{"The certificate authorities that this machine trusts cannot be read: " + openssl_reason()};
}

// ---- words for what failed

std::string words_for_alert(int alert) {
  switch (alert) {
    case SSL_AD_PROTOCOL_VERSION: return "the other end speaks no TLS 1.3";
    case SSL_AD_HANDSHAKE_FAILURE:
      return "the other end refused every way of encryption that it was offered; it probably speaks no TLS "
             "1.3";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
      return "the other end does not trust the certificate it was shown; it expects another key or authority";
    case SSL_AD_CERTIFICATE_EXPIRED:
      return "the other end says that the certificate it was shown is out of date; compare the clocks";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      return "the other end says that the certificate it was shown is not for servers";
    case SSL_AD_CERTIFICATE_REVOKED: return "the other end says that the certificate it was shown is revoked";
    case SSL_AD_INTERNAL_ERROR: return "the other end broke off because of an internal error";
    default: {
      const char* text = SSL_alert_desc_string_long(alert);
      return "the other end broke off the TLS handshake with the alert \"" +
             std::string(text == nullptr ? "unknown" : text) + "\"";
    }
  }
}

std::string words_for_ssl(unsigned long code) {
  int reason = ERR_GET_REASON(code);
  // OpenSSL's numbers for alerts that came in are these plus the alert.
  constexpr int alerts = SSL_AD_REASON_OFFSET;
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) reason = 0;
  if (reason > alerts && reason < alerts + 256) return words_for_alert(reason - alerts);
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE: return words_for_alert(SSL_AD_PROTOCOL_VERSION);
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_UNEXPECTED_RECORD: return "the other end does not speak TLS";
    case SSL_R_EXCESSIVE_MESSAGE_SIZE: return "the other end sent more in its TLS handshake than is allowed";
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return "its certificate was not accepted";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_GROUPS: return "both ends have no way of encryption in common";
    default: break;
  }
  const char* text = ERR_reason_error_string(code);
  return "the TLS handshake failed: " + std::string(text == nullptr ? "no reason was given" : text);
}

}  // namespace

Result<TlsIdentity> TlsIdentity::make(const std::vector<std::string>& hosts, WallTime now,
                                      std::chrono::seconds life) {
  Result<KeyAndChain> made = make_self_signed(hosts, now, life);
  if (!made) return made.error();
  return show(*made);
}

Result<TlsIdentity> TlsIdentity::load(std::string_view pem, std::string_view password, WallTime now) {
  Result<KeyAndChain> read = read_key_and_chain(pem, password);
  if (!read) return read.error();
  if (auto wrong = out_of_date(*read->leaf, now)) {
    return Error{"The certificate of " + subject_of(*read->leaf) + " " + *wrong +
                 ", so nobody would accept it: get one that is valid now from its authority"};
  }
  for (const CertificatePtr& issuer : read->issuers) {
    if (auto wrong = out_of_date(*issuer, now)) {
      return Error{
          "The certificate of the authority " + subject_of(*issuer) + " " + *wrong +
          ", so nobody would accept what it signed: get its present one, and put that into the chain"};
    }
  }
  return show(*read);
}

Result<TlsIdentity> TlsIdentity::show(const KeyAndChain& shown) {
  std::string whose = "The certificate of " + subject_of(*shown.leaf);
  if (sent_size(shown) > max_sent_chain) {
    return Error{whose + " and those of its authorities have more than the " +
                 std::to_string(max_sent_chain) + " bytes that are accepted: leave out what is not needed"};
  }
  Result<ContextPtr> context = new_context(ssl::context::tls_server);
  if (!context) return context.error();
  if (!use(shown, (*context)->native_handle())) {
    return Error{whose + " cannot be used for TLS 1.3: " + openssl_reason()};
  }
  Result<Digest> pin = pin_of(*shown.leaf);
  if (!pin) return pin.error();
  return TlsIdentity(std::move(*context), *pin);
}

std::string TlsIdentity::certificate_pem() const {
  return to_pem(*SSL_CTX_get0_certificate(context_->native_handle()));
}

std::string TlsIdentity::private_pem() const {
  SSL_CTX* context = context_->native_handle();
  std::string pem = to_pem(*SSL_CTX_get0_certificate(context));
  STACK_OF(X509)* issuers = nullptr;
  SSL_CTX_get0_chain_certs(context, &issuers);
  for (int i = 0; i < sk_X509_num(issuers); ++i) pem += to_pem(*sk_X509_value(issuers, i));
  // The key comes last, and into room enough: a string that grows leaves a copy behind.
  std::string key = to_pem(*SSL_CTX_get0_privatekey(context));
  pem.reserve(pem.size() + key.size());
  pem += key;
  OPENSSL_cleanse(key.data(), key.size());
  return pem;
}

Result<TlsDialler> TlsDialler::make(TlsTrust trust) {
  Result<ContextPtr> context = new_context(ssl::context::tls_client);
  if (!context) return context.error();
  SSL_CTX* settings = (*context)->native_handle();
  SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(settings, 8);
  SSL_CTX_set_cert_verify_callback(settings, on_certificate, nullptr);
  if (trust.chain.empty() && trust.pin) return TlsDialler(std::move(*context), trust.pin);
  if (trust.chain.empty() && !trust.system_authorities) {
    return Error{
        "TLS needs something to know the other end by: the credential of launch_remote(), or the "
        "certificates of its authority as `tls`"};
  }
  Result<Done> trusted =
      trust.chain.empty() ? trust_system(settings) : trust_certificates(settings, trust.chain);
  if (!trusted) return trusted.error();
  return TlsDialler(std::move(*context), std::nullopt);
}

Result<Done> TlsDialler::prepare(SSL* connection, const std::string& host,
                                 std::shared_ptr<std::string> why) const {
  std::string name = host.empty() ? "localhost" : host;
  // "login1." is the name login1, and certificates are written without the dot.
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  // Only names are announced: RFC 6066 forbids addresses.
  if (!address_bytes(name) && SSL_set_tlsext_host_name(connection, name.c_str()) != 1) {
    return Error{"The host " + printable(name) + " cannot be dialled with TLS: " + openssl_reason()};
  }
  if (place_of_expected() < 0) return Error{"A TLS connection cannot be prepared: " + openssl_reason()};
  std::unique_ptr<Expected> former(static_cast<Expected*>(SSL_get_ex_data(connection, place_of_expected())));
  auto expected = std::make_unique<Expected>(Expected{pin_, std::move(name), std::move(why)});
  if (SSL_set_ex_data(connection, place_of_expected(), expected.get()) != 1) {
    (void)former.release();
    return Error{"A TLS connection cannot be prepared: " + openssl_reason()};
  }
  (void)expected.release();
  return Done{};
}

std::string tls_failure(const boost::system::error_code& failed, const std::string& why) {
  if (!why.empty()) return why;
  if (failed.category() == boost::asio::error::get_ssl_category()) {
    return words_for_ssl(static_cast<unsigned int>(failed.value()));
  }
  bool closed = failed == ssl::error::stream_truncated || failed == boost::asio::error::eof ||
                failed == boost::asio::error::connection_reset || failed == boost::asio::error::broken_pipe;
  if (closed)
    return "the other end closed the connection during the TLS handshake; perhaps it does not speak TLS";
  return failed.message();
}

Result<Digest> channel_binding(SSL* connection) {
  constexpr std::string_view label = "EXPORTER-Channel-Binding";
  Digest binding;
  if (SSL_is_init_finished(connection) == 1 &&
      SSL_export_keying_material(connection, binding.data(), binding.size(), label.data(), label.size(),
                                 reinterpret_cast<const unsigned char*>(""), 0, 1) == 1) {
    return binding;
  }
  return Error{"A proof cannot be bound to a TLS connection whose handshake is not over: " +
               openssl_reason()};
}

}  // namespace tenkai
