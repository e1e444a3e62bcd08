#include "plugins/ssh/ssh_text.h"

#include <openssl/evp.h>

namespace tenkai::ssh {

std::string_view SshReader::take(std::size_t size) {
  good_ = good_ && size <= rest_.size();
  if (!good_) return {};
  std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t SshReader::byte() {
  std::string_view taken = take(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::uint32_t SshReader::number() {
  std::uint32_t number = 0;
  for (char c : take(4)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string_view SshReader::text() {
  std::uint32_t size = number();
  return take(size);
}

std::string ssh_number(std::uint32_t number) {
  return {static_cast<char>(number >> 24), static_cast<char>(number >> 16), static_cast<char>(number >> 8),
          static_cast<char>(number)};
}

std::string ssh_text(std::string_view text) {
  return ssh_number(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string dense;
  for (char c : text) {
    if (c != '\n' && c != '\r') dense += c;
  }
  std::string bytes(dense.size() / 4 * 3 + 1, '\0');
  int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(dense.data()), static_cast<int>(dense.size()));
  if (size <= 0) return {};
  std::size_t padding = dense[dense.size() - 1] != '=' ? 0 : dense[dense.size() - 2] != '=' ? 1 : 2;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

}  // namespace tenkai::ssh
