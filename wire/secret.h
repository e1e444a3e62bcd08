// 32 bytes that nobody prints, and what is made of them.
//
// A Secret is wiped when it dies or is moved from, and compared in constant time.
// It has no way to text: whoever needs that (encode() of a credential, alone) goes
// through data(). All of it is OpenSSL's; should OpenSSL be unable to compute (a
// configuration without its default provider), the program ends with a sentence,
// because a key that was not computed is a key that can be guessed.
#pragma once

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenkai {

class Secret {
 public:
  static constexpr std::size_t length = 32;
  using View = std::span<const unsigned char, length>;

  // Thirty-two zeros, for a value to be moved in; it proves nothing to anybody.
  Secret() = default;
  explicit Secret(View bytes) { std::memcpy(bytes_, bytes.data(), length); }
  // From OpenSSL's generator for private values.
  static Result<Secret> random();

  Secret(Secret&& other) noexcept { take(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes_, length); }

  Secret copy() const { return Secret(View(bytes_)); }

  const unsigned char* data() const { return bytes_; }
  unsigned char* data() { return bytes_; }
  static constexpr std::size_t size() { return length; }

  friend bool operator==(const Secret& one, const Secret& other) {
    return CRYPTO_memcmp(one.bytes_, other.bytes_, length) == 0;
  }

 private:
  void take(Secret& other) noexcept {
    std::memcpy(bytes_, other.bytes_, length);
    OPENSSL_cleanse(other.bytes_, length);
  }

  unsigned char bytes_[length] = {};
};

// HKDF-SHA256. Who does not have `key` learns nothing of it from what comes out,
// and nothing about what comes out for another `salt` or `info`. Both may be empty.
Secret derive(const Secret& key, std::string_view salt, std::string_view info);

// HMAC-SHA256. To compare two of them: is_same().
using Mac = std::array<unsigned char, 32>;
Mac mac(const Secret& key, std::string_view text);

// In constant time: how much of a forged one was right must not show.
inline bool is_same(const Mac& one, const Mac& other) {
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

// Empties text that held a secret, and overwrites all the room it has.
void wipe(std::string& text);

// Text that holds a secret for a while. The room is reserved at once: text that
// grows leaves copies of itself behind.
struct SecretText {
  std::string text;

  explicit SecretText(std::size_t room) { text.reserve(room); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { wipe(text); }
};

}  // namespace tenkai
