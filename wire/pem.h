// Keys and certificates as the text in which people keep them:
// -----BEGIN CERTIFICATE-----, and so on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/certificate.h"

namespace tenkai {

// The certificates and the key of a site fit in this many times over.
constexpr std::size_t max_pem = 64 * 1024;

// From PEM text that holds both, in any order and among anything else.
Result<KeyAndChain> read_key_and_chain(std::string_view pem, std::string_view password);
// All certificates of a text, at least one.
Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem);

// As PEM text, the key unencrypted; the caller wipes it. Empty where there is no memory.
std::string to_pem(const X509& certificate);
std::string to_pem(const EVP_PKEY& key);

}  // namespace tenkai
