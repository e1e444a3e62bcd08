// How a dialler and a listener prove to each other, over any network transport,
// that both have the same credential, without showing it:
//
//   dialler → HELLO      role, version, id of the credential, 32 random bytes
//   listener → CHALLENGE version, 32 random bytes, the listener's proof
//   dialler → PROOF      what it is (url, instance, host, pid), its proof
//   listener → WELCOME   from here on it is known
//
// A proof is an HMAC over all bytes so far and the channel binding (RFC 9266) of
// the TLS connection below, with a key made by HKDF from the credential's token
// and both random numbers, one key for each direction: it cannot be recorded and
// used again, sent back to its maker, or relayed through another TLS connection.
// The listener proves first; a dialler tells an impostor nothing.
//
// Pure: frames in, frames out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/frame.h"
#include "base/result.h"
#include "wire/credential.h"

namespace tenkai {

// After a handshake both ends share a second credential, which is in no file and
// on no screen: with it, the dialler may come back after a break.
struct Resumption {
  CredentialId id{};
  Secret token;
};

class ListenerHandshake {
 public:
  // `binding`: of the TLS connection, empty where there is none.
  explicit ListenerHandshake(std::string binding) : binding_(std::move(binding)) {}

  // What a HELLO claims; nothing where it is not one with a credential.
  struct Claim {
    CredentialId id{};
    std::uint32_t rank = 0;
  };
  static std::optional<Claim> claim_of(const Frame& hello);

  // The CHALLENGE. `token` is the one of the claimed credential, or any other where
  // that is not known: the answer then looks the same and is worth nothing.
  Result<Frame> on_hello(const Frame& hello, const Secret& token, std::string_view own_version);
  // Whether the PROOF is right; if so, resumption() is what both ends now share.
  bool on_proof(const Frame& proof);
  Resumption resumption() const;

 private:
  std::string binding_;
  std::string transcript_;
  std::string nonces_;
  std::optional<Secret> token_;
};

class DiallerHandshake {
 public:
  // `rank`: which of a job's ranks we are.
  DiallerHandshake(const CredentialId& id, Secret token, std::uint32_t rank, std::string binding)
      : id_(id), token_(std::move(token)), rank_(rank), binding_(std::move(binding)) {}

  Result<Frame> hello(Role role, std::string_view own_version);
  // The PROOF, made of what `introduction` says of us, once the listener has proved
  // that it knows the credential. Otherwise why it has not.
  Result<Frame> on_challenge(const Frame& challenge, Frame introduction);
  Resumption resumption() const;

 private:
  CredentialId id_;
  Secret token_;
  std::uint32_t rank_;
  std::string binding_;
  std::string transcript_;
  std::string nonces_;
};

}  // namespace tenkai
