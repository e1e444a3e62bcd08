// What a daemon or an agent must have to come in: one line of text.
//
//   base64url, without padding, of
//   "tenkai" | version 1 | id (16) | token (32) | has pin (1) | pin (0 or 32) |
//   not_after (8) | uses (4) | ranks (4) | number of urls (1) |
//   each url: length (2), text | SHA-256 of all before, its first 4 bytes
//
// Numbers are little endian. There is one text for each value: what parses is
// encoded to what was parsed. The checksum finds what was cut or mistyped; it
// proves nothing, the handshake does that.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/secret.h"

namespace tenkai {

// The longest line. It bounds the urls too: about 2.9 KiB of them fit, all together.
inline constexpr std::size_t max_credential = 4096;
inline constexpr std::size_t max_credential_urls = 64;
inline constexpr std::size_t max_credential_url = 512;

using CredentialId = std::array<unsigned char, 16>;

struct Credential {
  CredentialId id{};
  Secret token;
  // SHA-256 of the public key of the dispatcher's certificate; none without TLS.
  std::optional<std::array<unsigned char, 32>> pin;
  std::vector<std::string> urls;  // where to dial: 0 to 64, each a parsable URL of at most 512 bytes
  std::uint64_t not_after = 0;    // seconds since 1970; 0: no end
  std::uint32_t uses = 1;         // how many times each rank may come in anew; 0: any number
  std::uint32_t ranks = 0;        // 0: for one daemon or agent; n: a job's, rank k uses rank_token(token, k)
};

// Whether there is a line for it: the token is set, the urls can be parsed and are
// not too many or too long. To be asked before encode() of what a user has named.
Result<Done> check_credential(const Credential& credential);

// The line, without a line end. The one place where a token becomes text: the
// caller hands it to where it is meant for (a here-document, a pipe, a private
// file) and calls wipe() on it; it belongs in no log, no message and no argv.
std::string encode(const Credential& credential);

// Takes the line with spaces and line ends around it, and within it, where a
// terminal or a mail program has wrapped it. What it refuses it refuses with the
// reason, and without showing any of it.
Result<Credential> parse_credential(std::string_view text);

// False as soon as `text`, the beginning of what may become longer, can be the
// beginning of no credential.
bool may_begin_credential(std::string_view text);

bool is_expired(const Credential& credential, std::chrono::system_clock::time_point now);

// The token of one of a job's ranks, which does not tell those of the others.
Secret rank_token(const Secret& token, std::uint32_t rank);

// Reads the credential from where a launched daemon finds it:
//
//   "fd:3"    an inherited descriptor, any but 1 and 2; closed afterwards
//   "stdin"   replaced by /dev/null afterwards
//   "@path"   a file nobody else can read or replace: see private_file.h
//
// An inherited descriptor may be anything. So the first bytes are compared with
// what a credential begins with, at most 4 KiB are read, and reading ends with the
// line that makes a credential whole, at the end of the source, or after `limit`.
// Blocks until then. Whatever came of it, the descriptor is closed, unless it is a
// terminal, which is not read at all. To be called before the program opens
// anything else: it could get the very number that was never inherited.
Result<Credential> read_credential(const std::string& source,
                                   std::chrono::milliseconds limit = std::chrono::seconds(5));

// A launch manifest: a credential, and the lines that a launcher has written behind it, up to
// one that says "end".
struct LaunchManifest {
  Credential credential;
  std::string lines;  // without the last one
};
inline constexpr std::size_t max_manifest = 1024 * 1024;
// The same, with those lines. They are an error where they have no end.
Result<LaunchManifest> read_launch_manifest(const std::string& source,
                                            std::chrono::milliseconds limit = std::chrono::seconds(5));

}  // namespace tenkai
