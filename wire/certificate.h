// Keys and certificates as values: made, and asked what they say.
//
// Nothing here knows connections; wire/tls.h puts these to use, wire/pem.h reads
// them. A certificate may be a stranger's, so every text taken out of one is made
// printable.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

using Digest = std::array<unsigned char, 32>;  // SHA-256
using WallTime = std::chrono::system_clock::time_point;

struct FreeOpenSsl {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using CertificatePtr = std::unique_ptr<X509, FreeOpenSsl>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;
using BioPtr = std::unique_ptr<BIO, FreeOpenSsl>;

// A peer takes a chain of this many bytes at most.
constexpr std::size_t max_sent_chain = 16 * 1024;

// To be called before anything else of OpenSSL is: the configuration file of the
// machine is then never read. It could load code into us, or forbid what we need.
// Every function of this file and of wire/tls.h does so itself.
void start_openssl();
// Why the last call of OpenSSL failed, in its words. Forgets it.
std::string openssl_reason();

// A private key, the certificate that says whose it is, and the certificates of
// those who vouch for it, next one first, without the root.
struct KeyAndChain {
  KeyPtr key;
  CertificatePtr leaf;
  std::vector<CertificatePtr> issuers;
};
// A new P-256 key and a certificate signed with it, for these names and addresses.
Result<KeyAndChain> make_self_signed(const std::vector<std::string>& hosts, WallTime now,
                                     std::chrono::seconds life);

// The SHA-256 of the public key in DER (SubjectPublicKeyInfo). Two different keys
// never share one, and a certificate that is renewed for the same key keeps it.
Result<Digest> pin_of(const X509& certificate);

// "expired on 2026-01-02 10:00 UTC (the clock here says …)", or "is not valid before …";
// nothing within the dates. A wrong clock is a likely cause, so it is shown.
std::optional<std::string> out_of_date(const X509& certificate, WallTime now);
// The common name of the subject, or all of the subject where there is none.
std::string subject_of(const X509& certificate);
std::string issuer_of(const X509& certificate);
// The names and addresses it was made for: "login1, 10.0.0.1".
std::string hosts_of(const X509& certificate);
// Whether it was made for this host, a name or an address. The common name counts
// only where no other names are given, as is done in private authorities.
bool is_for_host(const X509& certificate, const std::string& host);

// A numeric address as the bytes that certificates hold, 4 or 16; nothing for names.
// The zone of a link-local one ("%eth0") is the business of this machine alone.
std::optional<std::string> address_bytes(const std::string& host);

}  // namespace tenkai
