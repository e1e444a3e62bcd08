#include "wire/secret.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace tenkai {

namespace {

// Two contexts are alive at most, each for a call; what they are made from is
// fetched once and kept until the program ends.
template <class Type, void (*release)(Type*)>
struct Release {
  void operator()(Type* object) const { release(object); }
};
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Release<EVP_KDF_CTX, EVP_KDF_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX, EVP_MAC_CTX_free>>;

[[noreturn]] void give_up(const char* algorithm) {
  std::fprintf(stderr,
               "tenkai: OpenSSL cannot compute %s, without which nobody can be told from a stranger; "
               "look at its configuration (`openssl version -d`, OPENSSL_CONF) and at the memory limit\n",
               algorithm);
  std::abort();
}

// OpenSSL takes what it only reads through pointers that could write.
OSSL_PARAM text_param(const char* name, const char* text) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(text), 0);
}
OSSL_PARAM bytes_param(const char* name, const void* bytes, std::size_t size) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(bytes), size);
}

}  // namespace

Result<Secret> Secret::random() {
  Secret secret;
  if (RAND_priv_bytes(secret.data(), static_cast<int>(length)) == 1) return secret;
  return Error{
      "OpenSSL has no random numbers for a credential; look at its configuration (`openssl version -d`, "
      "OPENSSL_CONF), and whether this machine has /dev/urandom"};
}

Secret derive(const Secret& key, std::string_view salt, std::string_view info) {
  static EVP_KDF* const hkdf = EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr);
  KdfContext context(hkdf == nullptr ? nullptr : EVP_KDF_CTX_new(hkdf));
  if (!context) give_up("HKDF");

  // An empty view may be null, which OpenSSL would take for a missing one.
  OSSL_PARAM params[] = {text_param(OSSL_KDF_PARAM_DIGEST, "SHA256"),
                         bytes_param(OSSL_KDF_PARAM_KEY, key.data(), Secret::length),
                         bytes_param(OSSL_KDF_PARAM_SALT, salt.empty() ? "" : salt.data(), salt.size()),
                         bytes_param(OSSL_KDF_PARAM_INFO, info.empty() ? "" : info.data(), info.size()),
                         OSSL_PARAM_construct_end()};
  Secret derived;
  if (EVP_KDF_derive(context.get(), derived.data(), Secret::length, params) != 1) give_up("HKDF-SHA256");
  return derived;
}

Mac mac(const Secret& key, std::string_view text) {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  MacContext context(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac));
  if (!context) give_up("HMAC");

  OSSL_PARAM params[] = {text_param(OSSL_MAC_PARAM_DIGEST, "SHA256"), OSSL_PARAM_construct_end()};
  Mac code{};
  std::size_t size = 0;
  bool computed =
      EVP_MAC_init(context.get(), key.data(), Secret::length, params) == 1 &&
      EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
      EVP_MAC_final(context.get(), code.data(), &size, code.size()) == 1;
  if (!computed || size != code.size()) give_up("HMAC-SHA256");
  return code;
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace tenkai
