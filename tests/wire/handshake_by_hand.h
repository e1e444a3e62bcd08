// The handshake of wire/handshake.h once more, computed by hand: what a dialler
// sends who does not ask whether the listener can prove anything, and a listener
// who claims what it likes.
//
// It shares the primitives with the program, not its transcript, labels or order.
#pragma once

#include <openssl/rand.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/frame.h"
#include "wire/credential.h"
#include "wire/secret.h"

namespace tenkai::test {

inline std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size));
  return bytes;
}

// HMAC, with a key made for this pair of random numbers and this direction, over
// all that was said and the channel it was said on.
inline std::string proof_by_hand(const Secret& token, const std::string& nonces, std::string_view label,
                                 const std::string& said, const std::string& binding) {
  Mac proof = mac(derive(token, nonces, label), said + binding);
  return std::string(reinterpret_cast<const char*>(proof.data()), proof.size());
}

inline Frame without_proof(Frame frame) {
  frame.attributes.pop_back();
  return frame;
}

inline std::string_view bytes_of(const CredentialId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

inline Frame hello_by_hand(Role role, const CredentialId& id, std::uint32_t rank, std::string_view version,
                           const std::string& nonce = random_bytes(32)) {
  Frame hello(Type::hello);
  hello.rank = rank;
  hello.with(Key::role, static_cast<std::uint64_t>(role)).with(Key::version, version);
  return std::move(hello.with(Key::credential, bytes_of(id)).with(Key::nonce, nonce));
}

// What has been said when the dialler's turn comes: HELLO, and the CHALLENGE as it
// was when its proof was made, with the proof behind it.
inline std::string said_before_proof(const Frame& hello, const Frame& challenge) {
  return encode_head(hello) + encode_head(without_proof(challenge)) + challenge.text(Key::proof);
}

// The PROOF of one who takes any CHALLENGE for good.
inline Frame careless_proof(const Secret& token, const Frame& hello, const Frame& challenge,
                            Frame introduction, const std::string& binding) {
  std::string nonces = hello.text(Key::nonce) + challenge.text(Key::nonce);
  introduction.type = Type::proof;
  std::string said = said_before_proof(hello, challenge) + encode_head(introduction);
  introduction.with(Key::proof, proof_by_hand(token, nonces, "tenkai 1 dialler", said, binding));
  return introduction;
}

// A CHALLENGE with the proof of whoever has this token.
inline Frame challenge_by_hand(const Secret& token, const Frame& hello, std::string_view version,
                               const std::string& binding) {
  Frame challenge(Type::challenge);
  challenge.with(Key::version, version).with(Key::nonce, random_bytes(32));
  std::string nonces = hello.text(Key::nonce) + challenge.text(Key::nonce);
  std::string said = encode_head(hello) + encode_head(challenge);
  challenge.with(Key::proof, proof_by_hand(token, nonces, "tenkai 1 listener", said, binding));
  return challenge;
}

}  // namespace tenkai::test
