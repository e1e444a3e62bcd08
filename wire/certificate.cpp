#include "wire/certificate.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

struct FreeParts {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(ASN1_OCTET_STRING* text) const { ASN1_STRING_free(text); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(GENERAL_NAME* name) const { GENERAL_NAME_free(name); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(unsigned char* text) const { OPENSSL_free(text); }
};
template <class Part>
using Owned = std::unique_ptr<Part, FreeParts>;

std::string_view text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// ---- making one

bool is_plain_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

Owned<GENERAL_NAME> alternative_name(const std::string& host) {
  std::optional<std::string> address = address_bytes(host);
  std::string_view bytes = address ? std::string_view(*address) : std::string_view(host);
  Owned<ASN1_OCTET_STRING> text(ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  Owned<GENERAL_NAME> name(GENERAL_NAME_new());
  if (!text || !name) return nullptr;
  if (ASN1_STRING_set(text.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) return nullptr;
  GENERAL_NAME_set0_value(name.get(), address ? GEN_IPADD : GEN_DNS, text.release());
  return name;
}

// A host whose name no certificate can hold is left out: our own daemons go by the
// key, and that machine must not be without TLS.
bool add_hosts(X509* certificate, const std::vector<std::string>& hosts) {
  Owned<GENERAL_NAMES> names(GENERAL_NAMES_new());
  if (!names) return false;
  for (const std::string& host : hosts) {
    if (!is_plain_host(host) && !address_bytes(host)) continue;
    Owned<GENERAL_NAME> name = alternative_name(host);
    if (!name || sk_GENERAL_NAME_push(names.get(), name.get()) == 0) return false;
    (void)name.release();
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return true;
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_APPEND) == 1;
}

bool add_extension(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  Owned<BIGNUM> number(BN_new());
  return number && BN_rand(number.get(), 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// Five minutes back, because the clocks of a cluster differ.
bool set_dates(X509* certificate, WallTime now, std::chrono::seconds life) {
  std::time_t from = std::chrono::system_clock::to_time_t(now - std::chrono::minutes(5));
  std::time_t until = std::chrono::system_clock::to_time_t(now + life);
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr;
}

// Subject and issuer are the same. A common name has room for 64 characters.
bool set_name(X509* certificate, const std::vector<std::string>& hosts) {
  std::string name = "tenkai";
  if (!hosts.empty() && hosts[0].size() <= 64 && (is_plain_host(hosts[0]) || address_bytes(hosts[0]))) {
    name = hosts[0];
  }
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::vector<std::string>& hosts, WallTime now,
          std::chrono::seconds life) {
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_random_serial(certificate) &&
         set_dates(certificate, now, life) && set_name(certificate, hosts) &&
         X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") && add_hosts(certificate, hosts) &&
         add_extension(certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

// ---- asking

// "2026-01-02 10:00 UTC"
std::string date_of(const std::tm& date) {
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &date));
}
std::string date_of(const ASN1_TIME* time) {
  std::tm date{};
  return ASN1_TIME_to_tm(time, &date) == 1 ? date_of(date) : "a date that cannot be read";
}
std::string date_of(std::time_t time) {
  std::tm date{};
  ::gmtime_r(&time, &date);
  return date_of(date);
}

// The first common name. Nothing where it holds a NUL, with which names are forged.
std::string common_name_of(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return ERR_clear_error(), std::string();
  Owned<unsigned char> owner(utf8);
  std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  return text.find('\0') == text.npos ? text : std::string();
}

std::string words_of(const X509_NAME* name) {
  std::string common_name = common_name_of(name);
  if (!common_name.empty()) return printable(common_name, 64);
  char all[256];
  bool empty = X509_NAME_entry_count(name) == 0 || X509_NAME_oneline(name, all, sizeof all) == nullptr;
  return empty ? "(no name)" : printable(all, 64);
}

Owned<GENERAL_NAMES> alternative_names_of(const X509& certificate) {
  return Owned<GENERAL_NAMES>(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

bool has_alternative_names(const X509& certificate) {
  return X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1) >= 0;
}

std::string address_text(std::string_view bytes) {
  namespace ip = boost::asio::ip;
  if (bytes.size() == 4) {
    ip::address_v4::bytes_type v4;
    std::memcpy(v4.data(), bytes.data(), v4.size());
    return ip::address_v4(v4).to_string();
  }
  ip::address_v6::bytes_type v6;
  if (bytes.size() != v6.size()) return "an address that cannot be read";
  std::memcpy(v6.data(), bytes.data(), v6.size());
  return ip::address_v6(v6).to_string();
}

std::string host_text(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    std::string text = printable(text_of(name->d.dNSName), 64);
    // Who sees the same address twice would not know what is wrong.
    return address_bytes(text) ? text + " as a name (DNS: in place of IP:)" : text;
  }
  if (name->type == GEN_IPADD) return address_text(text_of(name->d.iPAddress));
  return {};
}

bool is_for_address(X509* certificate, const std::string& bytes) {
  if (X509_check_ip(certificate, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), 0) ==
      1) {
    return true;
  }
  if (has_alternative_names(*certificate)) return false;
  return address_bytes(common_name_of(X509_get_subject_name(certificate))) == bytes;
}

bool is_for_name(X509* certificate, const std::string& name) {
  // X509_check_host() takes a leading dot for "all below this domain".
  if (!is_plain_host(name) || name[0] == '.') return false;
  unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  if (has_alternative_names(*certificate)) flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  return X509_check_host(certificate, name.data(), name.size(), flags, nullptr) == 1;
}

}  // namespace

void start_openssl() {
  static const bool started = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1;
  (void)started;
}

std::string openssl_reason() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason was given" : reason;
}

Result<KeyAndChain> make_self_signed(const std::vector<std::string>& hosts, WallTime now,
                                     std::chrono::seconds life) {
  start_openssl();
  KeyAndChain made;
  made.key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  made.leaf.reset(X509_new());
  if (!made.key || !made.leaf || !fill(made.leaf.get(), made.key.get(), hosts, now, life)) {
    return Error{"A key and a certificate for TLS cannot be made: " + openssl_reason()};
  }
  return made;
}

Result<Digest> pin_of(const X509& certificate) {
  unsigned char* der = nullptr;
  int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  Owned<unsigned char> owner(der);
  Digest digest;
  if (size <= 0 ||
      EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    return Error{"The public key of a certificate cannot be read: " + openssl_reason()};
  }
  return digest;
}

std::optional<std::string> out_of_date(const X509& certificate, WallTime now) {
  std::time_t time = std::chrono::system_clock::to_time_t(now);
  const ASN1_TIME* from = X509_get0_notBefore(&certificate);
  const ASN1_TIME* until = X509_get0_notAfter(&certificate);
  std::string here = " (the clock here says " + date_of(time) + ")";
  // 0 means a date that cannot be read, which is as good as a wrong one.
  if (X509_cmp_time(from, &time) >= 0) return "is not valid before " + date_of(from) + here;
  if (X509_cmp_time(until, &time) <= 0) return "expired on " + date_of(until) + here;
  return std::nullopt;
}

std::string subject_of(const X509& certificate) { return words_of(X509_get_subject_name(&certificate)); }
std::string issuer_of(const X509& certificate) { return words_of(X509_get_issuer_name(&certificate)); }

std::string hosts_of(const X509& certificate) {
  constexpr std::size_t shown = 4;
  if (!has_alternative_names(certificate)) return subject_of(certificate);
  Owned<GENERAL_NAMES> names = alternative_names_of(certificate);
  std::vector<std::string> hosts;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    std::string host = host_text(sk_GENERAL_NAME_value(names.get(), i));
    if (!host.empty() && hosts.size() < shown) hosts.push_back(std::move(host));
    else if (!host.empty()) return join(hosts, ", ") + " and others";
  }
  return hosts.empty() ? "no host" : join(hosts, ", ");
}

bool is_for_host(const X509& certificate, const std::string& host) {
  // The two functions below take what they only read as if they changed it: they
  // fill a cache inside the certificate.
  auto* checked = const_cast<X509*>(&certificate);
  std::optional<std::string> address = address_bytes(host);
  bool fits = address ? is_for_address(checked, *address) : is_for_name(checked, host);
  ERR_clear_error();
  return fits;
}

std::optional<std::string> address_bytes(const std::string& host) {
  boost::system::error_code failed;
  boost::asio::ip::address address = boost::asio::ip::make_address(host, failed);
  if (failed) return std::nullopt;
  auto text = [](const auto& bytes) { return std::string(bytes.begin(), bytes.end()); };
  return address.is_v4() ? text(address.to_v4().to_bytes()) : text(address.to_v6().to_bytes());
}

}  // namespace tenkai
