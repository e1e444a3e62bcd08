// TLS spoken with OpenSSL alone, for tests: what must be refused has to be said by
// somebody, and the diallers of the program would not say it.
//
// Neither end checks the other. After the handshake a thread passes bytes between
// the connection and a socket pair, at whose other end frames are spoken.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/descriptor.h"
#include "tests/system/peer.h"
#include "wire/tls.h"

namespace tenkai::test {

class TlsPeer {
 public:
  struct Settings {
    int newest = TLS1_3_VERSION;
    const TlsIdentity* shown = nullptr;  // a certificate of our own, should it be asked for
  };
  // Dials 127.0.0.1. Never throws for what the other end does: failure() says it.
  static std::unique_ptr<TlsPeer> dial(std::uint16_t port, Settings settings);
  static std::unique_ptr<TlsPeer> dial(std::uint16_t port) { return dial(port, Settings{}); }
  // Plays the listener's part on a connection that has been accepted.
  static std::unique_ptr<TlsPeer> answer(Descriptor connection, const TlsIdentity& identity);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // Why there is no TLS; empty where there is.
  const std::string& failure() const { return failure_; }
  const std::string& binding() const { return binding_; }  // RFC 9266
  // Decrypted bytes that have come so far.
  std::size_t received() const { return received_; }

  TestPeer stream;

 private:
  TlsPeer(Descriptor connection, SSL_CTX* context, bool dials);
  void settle(int outcome);
  void pass_on();
  bool from_network();
  bool to_network();

  Descriptor connection_;
  Descriptor inner_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  std::string failure_;
  std::string binding_;
  std::atomic<std::size_t> received_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// A port of 127.0.0.1 at which the test waits for whoever comes.
class Port {
 public:
  // 0: any that is free. Throws where it is taken.
  explicit Port(std::uint16_t number = 0);
  std::uint16_t number() const { return number_; }
  // The next one who comes; an empty descriptor where nobody does.
  Descriptor accept(std::chrono::milliseconds limit = patience);

 private:
  Descriptor listener_;
  std::uint16_t number_ = 0;
};

}  // namespace tenkai::test
