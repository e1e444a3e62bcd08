#include "wire/credential.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cassert>
#include <type_traits>
#include <utility>

#include "base/url.h"
#include "wire/base64url.h"

namespace tenkai {

namespace {

constexpr std::string_view magic = "tenkai";
constexpr std::string_view magic_text = "dGVua2Fp";  // the same, encoded
constexpr std::size_t checksum_size = 4;
constexpr char version = 1;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

Error no_credential() {
  return Error{"this is no credential, which begins with \"" + std::string(magic_text) +
               "\"; give the whole line that was made for this daemon"};
}
Error damaged(const std::string& why) {
  return Error{"the credential is damaged (" + why +
               "); copy the whole line again, from its first to its last character"};
}

Error too_many_urls(std::size_t count) {
  return Error{"a credential has at most " + std::to_string(max_credential_urls) + " urls, this one has " +
               std::to_string(count) + "; make it anew, with fewer"};
}

// Why there is no credential with these urls, or nothing.
std::optional<Error> complaint_about(const std::vector<std::string>& urls) {
  if (urls.size() > max_credential_urls) return too_many_urls(urls.size());
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (urls[i].size() <= max_credential_url && parse_url(urls[i])) continue;
    return Error{"url " + std::to_string(i + 1) +
                 " of the credential cannot be dialled: it is no url, or longer than " +
                 std::to_string(max_credential_url) + " bytes; make the credential anew"};
  }
  return std::nullopt;
}

std::size_t encoded_size(const Credential& credential) {
  std::size_t bytes = magic.size() + 1 + credential.id.size() + Secret::length + 1;
  bytes += credential.pin ? credential.pin->size() : 0;
  bytes += 8 + 4 + 4 + 1;
  for (const std::string& url : credential.urls) bytes += 2 + url.size();
  return bytes + checksum_size;
}

// Against slips of a hand, so a few bytes do.
std::string checksum_of(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH] = {};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return std::string(reinterpret_cast<const char*>(digest), checksum_size);
}

template <class Number>
void put(std::string& bytes, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) bytes += static_cast<char>(number >> (8 * i));
}
template <std::size_t size>
void put(std::string& bytes, const std::array<unsigned char, size>& value) {
  bytes.append(reinterpret_cast<const char*>(value.data()), size);
}

// Takes fields from the front. After the end it gives zeros, and has failed.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::size_t size) {
    failed_ = failed_ || size > rest_.size();
    if (failed_) return {};
    std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }
  template <class Number>
  Number number() {
    static_assert(std::is_unsigned_v<Number>);
    std::string_view bytes = take(sizeof(Number));
    Number number = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      number = static_cast<Number>(std::uint64_t{number} << 8 | static_cast<unsigned char>(bytes[i]));
    }
    return number;
  }
  void fill(unsigned char* value, std::size_t size) {
    std::string_view bytes = take(size);
    std::copy(bytes.begin(), bytes.end(), value);
  }
  bool at_end() const { return !failed_ && rest_.empty(); }
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// A token that was forgotten, or moved elsewhere, is one that anybody can guess.
std::optional<Error> complaint_about(const Secret& token) {
  if (!(token == Secret())) return std::nullopt;
  return Error{"the credential holds no token, so it proves nothing; make it anew"};
}

// What stands between the version and the checksum.
Result<Credential> decode(std::string_view bytes) {
  Fields fields(bytes);
  Credential credential;
  fields.fill(credential.id.data(), credential.id.size());
  fields.fill(credential.token.data(), Secret::length);
  auto has_pin = fields.number<std::uint8_t>();
  if (has_pin > 1) return damaged("it has a field that this version does not know");
  if (has_pin == 1) fields.fill(credential.pin.emplace().data(), credential.pin->size());
  credential.not_after = fields.number<std::uint64_t>();
  credential.uses = fields.number<std::uint32_t>();
  credential.ranks = fields.number<std::uint32_t>();
  auto count = fields.number<std::uint8_t>();
  if (count > max_credential_urls) return too_many_urls(count);
  for (std::size_t i = 0; i < count && !fields.failed(); ++i) {
    credential.urls.emplace_back(fields.take(fields.number<std::uint16_t>()));
  }
  if (fields.failed()) return damaged("it ends too early");
  if (!fields.at_end()) return damaged("something follows its end");
  if (std::optional<Error> complaint = complaint_about(credential.token)) return *complaint;
  if (std::optional<Error> complaint = complaint_about(credential.urls)) return *complaint;
  return credential;
}

}  // namespace

Result<Done> check_credential(const Credential& credential) {
  if (std::optional<Error> complaint = complaint_about(credential.token)) return *complaint;
  if (std::optional<Error> complaint = complaint_about(credential.urls)) return *complaint;
  if (base64url_size(encoded_size(credential)) <= max_credential) return Done{};
  return Error{"the urls are too long for a credential, which is a line of at most " +
               std::to_string(max_credential) + " characters; listen on fewer urls, or on shorter ones"};
}

std::string encode(const Credential& credential) {
  assert(check_credential(credential));
  SecretText bytes(encoded_size(credential));
  bytes.text = magic;
  bytes.text += version;
  put(bytes.text, credential.id);
  bytes.text.append(reinterpret_cast<const char*>(credential.token.data()), Secret::length);
  bytes.text += credential.pin ? '\1' : '\0';
  if (credential.pin) put(bytes.text, *credential.pin);
  put(bytes.text, credential.not_after);
  put(bytes.text, credential.uses);
  put(bytes.text, credential.ranks);
  bytes.text += static_cast<char>(credential.urls.size());
  for (const std::string& url : credential.urls) {
    put(bytes.text, static_cast<std::uint16_t>(url.size()));
    bytes.text += url;
  }
  bytes.text += checksum_of(bytes.text);

  std::string line;
  line.reserve(base64url_size(bytes.text.size()));
  encode_base64url(bytes.text, line);
  return line;
}

Result<Credential> parse_credential(std::string_view text) {
  if (text.size() > max_credential) {
    return Error{"this is no credential: it is longer than the " + std::to_string(max_credential) +
                 " characters that one may have; give the one line, and nothing else"};
  }
  SecretText line(text.size());
  for (char c : text) {
    if (!is_space(c)) line.text += c;
  }
  if (!line.text.starts_with(magic_text)) return no_credential();

  SecretText bytes(line.text.size());
  if (!decode_base64url(line.text, bytes.text)) {
    return damaged("copied in part, or together with something else?");
  }
  std::string_view rest(bytes.text);
  rest.remove_prefix(magic.size());
  if (rest.empty()) return damaged("copied in part?");
  if (rest[0] != version) {
    return Error{
        "the credential was made by another version of tenkai, or is damaged; install the same version at "
        "both ends, or copy the whole line again"};
  }
  std::string_view checksum = rest.substr(rest.size() - std::min(rest.size(), checksum_size));
  std::string_view checked(bytes.text.data(), bytes.text.size() - checksum.size());
  if (checksum != checksum_of(checked)) return damaged("copied in part?");
  return decode(checked.substr(magic.size() + 1));
}

bool may_begin_credential(std::string_view text) {
  std::size_t matched = 0;
  for (char c : text) {
    if (is_space(c)) continue;
    if (c != magic_text[matched]) return false;
    if (++matched == magic_text.size()) return true;
  }
  return true;
}

bool is_expired(const Credential& credential, std::chrono::system_clock::time_point now) {
  if (credential.not_after == 0) return false;
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return seconds >= 0 && static_cast<std::uint64_t>(seconds) >= credential.not_after;
}

Secret rank_token(const Secret& token, std::uint32_t rank) {
  std::string info = "tenkai rank";
  put(info, rank);
  return derive(token, {}, info);
}

}  // namespace tenkai
