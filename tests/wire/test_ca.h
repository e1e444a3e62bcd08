// Certificate authorities for tests, made on the spot: no file that expires one
// day, no openssl program.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "wire/certificate.h"

// What a certificate shall say.
struct CertificateOptions {
  std::string common_name{};
  std::vector<std::string> names{};  // as OpenSSL writes them: "DNS:login1", "IP:10.0.0.1"
  bool authority = false;
  std::string key = "EC";  // or "RSA"
  unsigned bits = 2048;    // of RSA
  std::chrono::minutes from{-60};
  std::chrono::minutes until{60};
  std::string key_usage{};       // none: as `openssl req -x509` makes them
  std::string extended_usage{};  // "clientAuth"
  std::size_t ballast = 0;       // bytes of comment
};

struct Issued {
  tenkai::CertificatePtr certificate;
  tenkai::KeyPtr key;

  std::string pem() const;
  std::string key_pem() const;  // PKCS #8
};

// Signed by itself where `by` is null.
Issued issue(const CertificateOptions& options, const Issued* by = nullptr);

// "-----BEGIN ENCRYPTED PRIVATE KEY-----"
std::string encrypted_pkcs8(const Issued& issued, const std::string& password);
// "-----BEGIN RSA PRIVATE KEY-----", the form before PKCS #8, encrypted where a password is given.
std::string traditional_key(const Issued& issued, const std::string& password = "");
// "-----BEGIN CERTIFICATE REQUEST-----"
std::string signing_request(const Issued& issued);
