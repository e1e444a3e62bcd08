#include "wire/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

struct Block {
  std::string_view kind;  // "CERTIFICATE"
  std::string_view text;  // with the lines that begin and end it
};

// "RSA PRIVATE KEY"; anything else is prose that looks alike.
bool is_kind(std::string_view text) {
  return text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
         });
}

// Only what lies between the lines of dashes is looked at, so headers of mail or
// what `openssl x509 -text` writes may stand around it.
Result<std::vector<Block>> blocks_of(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN ", dashes = "-----";
  if (pem.size() > max_pem) {
    return Error{"Certificates and keys in PEM form were expected, at most " + std::to_string(max_pem) +
                 " bytes; these are " + std::to_string(pem.size())};
  }
  std::vector<Block> blocks;
  for (std::size_t at = pem.find(begin); at != pem.npos; at = pem.find(begin, at)) {
    std::size_t name = at + begin.size(), name_end = pem.find(dashes, name);
    if (name_end == pem.npos || !is_kind(pem.substr(name, name_end - name))) {
      at = name;
      continue;
    }
    std::string_view kind = pem.substr(name, name_end - name);
    std::string last = "-----END " + std::string(kind) + "-----";
    std::size_t end = pem.find(last, name_end);
    if (end == pem.npos) {
      return Error{"The PEM text is cut off: a block begins with -----BEGIN " + printable(kind) +
                   "----- and no line " + printable(last) + " ends it. Copy it whole"};
    }
    end += last.size();
    blocks.push_back({kind, pem.substr(at, end - at)});
    at = end;
  }
  return blocks;
}

BioPtr reader_of(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

bool holds_certificate(const Block& block) {
  return block.kind == PEM_STRING_X509 || block.kind == PEM_STRING_X509_OLD ||
         block.kind == PEM_STRING_X509_TRUSTED;
}
bool holds_key(const Block& block) {
  constexpr std::string_view ending = "PRIVATE KEY";
  return block.kind.size() >= ending.size() && block.kind.substr(block.kind.size() - ending.size()) == ending;
}
bool holds_request(const Block& block) {
  return block.kind == PEM_STRING_X509_REQ || block.kind == PEM_STRING_X509_REQ_OLD;
}

struct Password {
  std::string_view text;
  bool asked = false;
};

// Without a callback OpenSSL would ask at the terminal, where the user speaks to R.
int give_password(char* to, int room, int, void* user) {
  auto* password = static_cast<Password*>(user);
  password->asked = true;
  if (password->text.empty() || password->text.size() > static_cast<std::size_t>(room)) return -1;
  std::memcpy(to, password->text.data(), password->text.size());
  return static_cast<int>(password->text.size());
}

Result<std::vector<CertificatePtr>> certificates_of(const std::vector<Block>& blocks) {
  std::vector<CertificatePtr> certificates;
  for (const Block& block : blocks) {
    if (!holds_certificate(block)) continue;
    Password none;
    BioPtr reader = reader_of(block.text);
    CertificatePtr certificate(reader ? PEM_read_bio_X509_AUX(reader.get(), nullptr, give_password, &none)
                                      : nullptr);
    if (!certificate) {
      return Error{"Certificate " + std::to_string(certificates.size() + 1) +
                   " of the PEM text cannot be read (" + openssl_reason() +
                   "). Was it changed when it was copied?"};
    }
    certificates.push_back(std::move(certificate));
  }
  if (!certificates.empty()) return certificates;
  if (std::any_of(blocks.begin(), blocks.end(), holds_request)) {
    return Error{
        "The PEM text holds a certificate request and no certificate: send it to your certificate "
        "authority, and give the certificate that comes back"};
  }
  return Error{
      "No certificate was found in the PEM text: one begins with -----BEGIN CERTIFICATE-----. "
      "Certificates in other forms (DER, PKCS #12) must be converted first"};
}

Result<KeyPtr> key_of(const Block& block, std::string_view password) {
  Password given{password};
  BioPtr reader = reader_of(block.text);
  KeyPtr key(reader ? PEM_read_bio_PrivateKey(reader.get(), nullptr, give_password, &given) : nullptr);
  std::string reason = openssl_reason();
  if (key) return key;
  if (!given.asked) return Error{"The private key in the PEM text cannot be read (" + reason + ")"};
  if (password.empty()) {
    return Error{"The private key is encrypted and no password was given: give it as `pass`"};
  }
  return Error{"The private key cannot be decrypted with the password given as `pass` (" + reason +
               "): the password is wrong, or the key is damaged"};
}

Result<KeyPtr> only_key_of(const std::vector<Block>& blocks, std::string_view password) {
  auto block = std::find_if(blocks.begin(), blocks.end(), holds_key);
  if (block == blocks.end()) {
    return Error{
        "No private key was found in the PEM text, only certificates: one begins with "
        "-----BEGIN PRIVATE KEY-----. It belongs behind the certificate"};
  }
  if (std::find_if(std::next(block), blocks.end(), holds_key) != blocks.end()) {
    return Error{"The PEM text holds more than one private key: give the one of the certificate alone"};
  }
  return key_of(*block, password);
}

// Takes out of `others` the one that `accept` says yes to.
template <class Accept>
CertificatePtr take_one(std::vector<CertificatePtr>& others, Accept accept) {
  auto found = std::find_if(others.begin(), others.end(), accept);
  if (found == others.end()) return nullptr;
  CertificatePtr taken = std::move(*found);
  others.erase(found);
  return taken;
}

bool is_root(X509* certificate) { return X509_self_signed(certificate, 0) == 1; }

// The dialler has the root already, or must not believe it; what vouches for
// nothing here is not sent either.
std::vector<CertificatePtr> issuers_among(std::vector<CertificatePtr> others, X509* leaf) {
  std::vector<CertificatePtr> issuers;
  for (X509* last = leaf; !is_root(last); last = issuers.back().get()) {
    CertificatePtr next = take_one(others, [last](const CertificatePtr& other) {
      return X509_check_issued(other.get(), last) == X509_V_OK;
    });
    if (!next || is_root(next.get())) break;
    issuers.push_back(std::move(next));
  }
  return issuers;
}

std::string read_out(BIO* memory) {
  char* data = nullptr;
  long size = BIO_get_mem_data(memory, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

Result<KeyAndChain> read_key_and_chain(std::string_view pem, std::string_view password) {
  start_openssl();
  Result<std::vector<Block>> blocks = blocks_of(pem);
  if (!blocks) return blocks.error();
  Result<std::vector<CertificatePtr>> certificates = certificates_of(*blocks);
  if (!certificates) return certificates.error();
  Result<KeyPtr> key = only_key_of(*blocks, password);
  if (!key) return key.error();

  KeyAndChain read;
  read.key = std::move(*key);
  read.leaf = take_one(*certificates, [&](const CertificatePtr& certificate) {
    return X509_check_private_key(certificate.get(), read.key.get()) == 1;
  });
  ERR_clear_error();
  if (!read.leaf) {
    return Error{"The private key does not fit the certificate of " + subject_of(*certificates->front()) +
                 ": give the key with which its signing request was made"};
  }
  read.issuers = issuers_among(std::move(*certificates), read.leaf.get());
  return read;
}

Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem) {
  start_openssl();
  Result<std::vector<Block>> blocks = blocks_of(pem);
  if (!blocks) return blocks.error();
  return certificates_of(*blocks);
}

std::string to_pem(const X509& certificate) {
  BioPtr memory(BIO_new(BIO_s_mem()));
  bool written = memory && PEM_write_bio_X509(memory.get(), &certificate) == 1;
  ERR_clear_error();
  return written ? read_out(memory.get()) : std::string();
}

std::string to_pem(const EVP_PKEY& key) {
  BioPtr memory(BIO_new(BIO_s_mem()));  // wipes what it held
  bool written =
      memory && PEM_write_bio_PKCS8PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  ERR_clear_error();
  return written ? read_out(memory.get()) : std::string();
}

}  // namespace tenkai
