#include "tests/wire/test_ca.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "tests/catch.h"

using tenkai::BioPtr;

namespace {

// What `write` puts into a BIO.
template <class Write>
std::string written(Write write) {
  BioPtr memory(BIO_new(BIO_s_mem()));
  REQUIRE(write(memory.get()) == 1);
  char* data = nullptr;
  long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

EVP_PKEY* new_key(const CertificateOptions& options) {
  if (options.key == "RSA") return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{options.bits});
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  REQUIRE(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void set_date(ASN1_TIME* date, std::chrono::minutes from_now) {
  X509_gmtime_adj(date, std::chrono::seconds(from_now).count());
}

}  // namespace

Issued issue(const CertificateOptions& options, const Issued* by) {
  tenkai::start_openssl();
  static long serial = 0;
  Issued issued{tenkai::CertificatePtr(X509_new()), tenkai::KeyPtr(new_key(options))};
  X509* made = issued.certificate.get();
  X509* issuer = by == nullptr ? made : by->certificate.get();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  set_date(X509_getm_notBefore(made), options.from);
  set_date(X509_getm_notAfter(made), options.until);
  if (!options.common_name.empty()) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(options.common_name.data()),
                               static_cast<int>(options.common_name.size()), -1, 0);
  }
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  X509_set_pubkey(made, issued.key.get());
  extend(made, issuer, NID_subject_key_identifier, "hash");
  extend(made, issuer, NID_basic_constraints, options.authority ? "critical,CA:TRUE" : "CA:FALSE");
  extend(made, issuer, NID_key_usage, options.key_usage);
  extend(made, issuer, NID_ext_key_usage, options.extended_usage);
  extend(made, issuer, NID_subject_alt_name, tenkai::join(options.names, ","));
  if (options.ballast > 0) extend(made, issuer, NID_netscape_comment, std::string(options.ballast, 'x'));
  REQUIRE(X509_sign(made, (by == nullptr ? issued.key : by->key).get(), EVP_sha256()) > 0);
  return issued;
}

std::string Issued::pem() const {
  return written([this](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); });
}

std::string Issued::key_pem() const {
  return written([this](BIO* to) {
    return PEM_write_bio_PKCS8PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string encrypted_pkcs8(const Issued& issued, const std::string& password) {
  return written([&](BIO* to) {
    return PEM_write_bio_PKCS8PrivateKey(to, issued.key.get(), EVP_aes_256_cbc(), password.data(),
                                         static_cast<int>(password.size()), nullptr, nullptr);
  });
}

std::string traditional_key(const Issued& issued, const std::string& password) {
  std::string copy = password;
  return written([&](BIO* to) {
    const EVP_CIPHER* cipher = copy.empty() ? nullptr : EVP_aes_128_cbc();
    return PEM_write_bio_PrivateKey_traditional(to, issued.key.get(), cipher, bytes_of(copy),
                                                static_cast<int>(copy.size()), nullptr, nullptr);
  });
}

std::string signing_request(const Issued& issued) {
  X509_REQ* request = X509_to_X509_REQ(issued.certificate.get(), issued.key.get(), EVP_sha256());
  std::string text = written([&](BIO* to) { return PEM_write_bio_X509_REQ(to, request); });
  X509_REQ_free(request);
  return text;
}
