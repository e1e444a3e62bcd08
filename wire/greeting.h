// Strangers, until they have said, and proved, who they are.
//
// A connection that has been accepted belongs here until it may be welcomed: on
// this machine until its HELLO has come, whose sender the kernel vouches for; over
// the network until the handshake of wire/handshake.h is done. A stranger sends at
// most 4 KiB in a frame, and nothing it sends goes any further.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/connection.h"
#include "wire/handshake.h"

namespace tenkai {

// Who has proved, over the network, to have a credential.
struct Proven {
  CredentialId id{};
  std::uint32_t rank = 0;
  Resumption resumption;
  std::chrono::milliseconds round_trip{0};  // from here to there and back
};

class Greeting {
 public:
  // On this machine; over the network the ticket knows (strangers.h).
  static constexpr std::chrono::seconds time_limit{10};

  struct Callbacks {
    // The token behind a credential's id, where the id is known. It may be void or
    // used up: who proves to have it is told so.
    std::function<std::optional<Secret>(const ListenerHandshake::Claim&)> token;
    // Gets the connection, what it says of itself, and what it has proved (null on
    // this machine); must either welcome() or refuse() it.
    std::function<void(const ConnectionPtr&, const Frame& introduction, const Proven*)> on_greeted;
  };

  Greeting(asio::any_io_executor executor, Callbacks callbacks);
  ~Greeting();
  Greeting(const Greeting&) = delete;
  Greeting& operator=(const Greeting&) = delete;

  void receive(ConnectionPtr stranger);
  std::size_t waiting() const { return local_.size() + distant_.size(); }
  // Network peers that have tried and could not prove anything.
  std::uint64_t failed_proofs() const { return failed_proofs_; }

 private:
  struct Stranger {
    ConnectionPtr connection;                     // null when it is no stranger any more
    std::chrono::steady_clock::time_point since;  // when it came, or was sent the CHALLENGE
    std::uint64_t role = 0;
    std::optional<ListenerHandshake::Claim> claim;
    std::unique_ptr<ListenerHandshake> handshake;
  };
  using StrangerPtr = std::shared_ptr<Stranger>;

  void on_frame(const StrangerPtr& stranger, const Frame& frame);
  void on_hello(const StrangerPtr& stranger, const Frame& frame);
  void on_proof(const StrangerPtr& stranger, const Frame& frame);
  void drop(const StrangerPtr& stranger, const std::string& why);
  ConnectionPtr forget(const StrangerPtr& stranger);
  void arm();

  asio::steady_timer timer_;
  Callbacks callbacks_;
  Secret nobodys_;                  // the token of all credentials that do not exist
  std::list<StrangerPtr> local_;    // oldest first
  std::list<StrangerPtr> distant_;  // over the network
  std::uint64_t failed_proofs_ = 0;
};

// From now on the peer is known: larger frames, other callbacks, WELCOME.
void welcome(Connection& connection, Connection::Callbacks callbacks, Frame welcome);
// Says why not and which version we are, and closes.
void refuse(Connection& connection, std::string reason, std::string_view own_version);

// What both ends of a greeting check first: whether their versions work together. Returns the
// sentence for the other end, or nothing.
std::string version_mismatch(const Frame& greeting, std::string_view own_version);

}  // namespace tenkai
