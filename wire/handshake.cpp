#include "wire/handshake.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace tenkai {
namespace {

constexpr std::size_t nonce_size = 32;

// Labels of the keys. Two, so that a proof sent back to its maker proves nothing.
constexpr std::string_view listener_key = "tenkai 1 listener";
constexpr std::string_view dialler_key = "tenkai 1 dialler";
constexpr std::string_view resume_id_key = "tenkai 1 resumption id";
constexpr std::string_view resume_token_key = "tenkai 1 resumption token";

Result<std::string> fresh_nonce() {
  std::string nonce(nonce_size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()), nonce_size) != 1) {
    return Error{"the system gives no random numbers, so nothing can be proved"};
  }
  return nonce;
}

// As it was sent: a frame without payload has only one encoding.
std::string bytes_of(const Frame& frame) { return encode_head(frame); }

bool is_plain(const Frame& frame) { return frame.stream == 0 && size_of(frame.payload) == 0; }

// Takes the proof off the end of a frame; nothing where it does not end in one.
std::optional<std::string> take_proof(Frame& frame) {
  if (!is_plain(frame) || frame.attributes.empty()) return std::nullopt;
  Attribute& last = frame.attributes.back();
  if (last.key != Key::proof || last.value.size() != 32) return std::nullopt;
  std::string proof = std::move(last.value);
  frame.attributes.pop_back();
  if (frame.find(Key::proof) != nullptr) return std::nullopt;
  return proof;
}

std::string proof_of(const Secret& token, const std::string& nonces, std::string_view role,
                     const std::string& transcript, const std::string& binding) {
  Secret key = derive(token, nonces, role);
  auto proof = mac(key, transcript + binding);
  return std::string(reinterpret_cast<const char*>(proof.data()), proof.size());
}

bool same(const std::string& one, const std::string& other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

Resumption resumption_of(const Secret& token, const std::string& nonces) {
  Secret id = derive(token, nonces, resume_id_key);
  Resumption resumption{{}, derive(token, nonces, resume_token_key)};
  std::memcpy(resumption.id.data(), id.data(), resumption.id.size());
  return resumption;
}

}  // namespace

// --- the listener ---

std::optional<ListenerHandshake::Claim> ListenerHandshake::claim_of(const Frame& hello) {
  const std::string* id = hello.find(Key::credential);
  const std::string* nonce = hello.find(Key::nonce);
  if (hello.type != Type::hello || !is_plain(hello)) return std::nullopt;
  if (id == nullptr || nonce == nullptr || nonce->size() != nonce_size) return std::nullopt;
  Claim claim;
  if (id->size() != claim.id.size()) return std::nullopt;
  std::memcpy(claim.id.data(), id->data(), claim.id.size());
  claim.rank = hello.rank;
  return claim;
}

Result<Frame> ListenerHandshake::on_hello(const Frame& hello, const Secret& token,
                                          std::string_view own_version) {
  Result<std::string> nonce = fresh_nonce();
  if (!nonce) return nonce.error();
  token_ = token.copy();
  nonces_ = hello.text(Key::nonce) + *nonce;
  Frame challenge(Type::challenge);
  challenge.with(Key::version, own_version).with(Key::nonce, *nonce);
  transcript_ = bytes_of(hello) + bytes_of(challenge);
  std::string proof = proof_of(*token_, nonces_, listener_key, transcript_, binding_);
  challenge.with(Key::proof, proof);
  transcript_ += proof;
  return challenge;
}

bool ListenerHandshake::on_proof(const Frame& frame) {
  Frame introduction = frame;
  std::optional<std::string> proof = take_proof(introduction);
  if (frame.type != Type::proof || !proof || !token_) return false;
  std::string transcript = transcript_ + bytes_of(introduction);
  return same(*proof, proof_of(*token_, nonces_, dialler_key, transcript, binding_));
}

Resumption ListenerHandshake::resumption() const { return resumption_of(*token_, nonces_); }

// --- the dialler ---

Result<Frame> DiallerHandshake::hello(Role role, std::string_view own_version) {
  Result<std::string> nonce = fresh_nonce();
  if (!nonce) return nonce.error();
  Frame hello(Type::hello);
  hello.rank = rank_;
  hello.with(Key::role, static_cast<std::uint64_t>(role)).with(Key::version, own_version);
  hello.with(Key::credential, std::string_view(reinterpret_cast<const char*>(id_.data()), id_.size()));
  hello.with(Key::nonce, *nonce);
  nonces_ = std::move(*nonce);
  transcript_ = bytes_of(hello);
  return hello;
}

Result<Frame> DiallerHandshake::on_challenge(const Frame& frame, Frame introduction) {
  Frame challenge = frame;
  std::optional<std::string> proof = take_proof(challenge);
  const std::string* nonce = challenge.find(Key::nonce);
  if (frame.type != Type::challenge || !proof || nonce == nullptr || nonce->size() != nonce_size) {
    return Error{"it does not answer like a dispatcher of tenkai"};
  }
  if (nonces_.size() != nonce_size) return Error{"it asks twice for a proof"};
  nonces_ += *nonce;
  transcript_ += bytes_of(challenge);
  if (!same(*proof, proof_of(token_, nonces_, listener_key, transcript_, binding_))) {
    return Error{
        "it does not know this credential, which belongs to another call of daemons(); launch_remote() on "
        "the host makes a new command"};
  }
  transcript_ += *proof;
  introduction.type = Type::proof;
  transcript_ += bytes_of(introduction);
  introduction.with(Key::proof, proof_of(token_, nonces_, dialler_key, transcript_, binding_));
  return introduction;
}

Resumption DiallerHandshake::resumption() const { return resumption_of(token_, nonces_); }

}  // namespace tenkai
