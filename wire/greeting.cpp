#include "wire/greeting.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/version.h"

namespace tenkai {
namespace {

// Without random numbers no handshake succeeds, with this token or another.
Secret random_secret() {
  Result<Secret> made = Secret::random();
  return made ? std::move(*made) : Secret();
}

}  // namespace

Greeting::Greeting(asio::any_io_executor executor, Callbacks callbacks)
    : timer_(executor), callbacks_(std::move(callbacks)), nobodys_(random_secret()) {}

// Connections and their strangers keep each other alive.
Greeting::~Greeting() {
  for (const StrangerPtr& stranger : local_) stranger->connection = nullptr;
  for (const StrangerPtr& stranger : distant_) stranger->connection = nullptr;
}

void Greeting::receive(ConnectionPtr connection) {
  auto stranger = std::make_shared<Stranger>();
  stranger->connection = connection;
  stranger->since = std::chrono::steady_clock::now();
  bool is_distant = connection->peer().ticket != nullptr;
  (is_distant ? distant_ : local_).push_back(stranger);
  if (!is_distant && local_.size() == 1) arm();
  if (const auto& ticket = connection->peer().ticket) {
    ticket->expel_by([weak = std::weak_ptr<Connection>(connection)](const std::string& why) {
      if (auto late = weak.lock()) late->drop(why);
    });
  }
  connection->start({[this, stranger](Frame&& frame) { on_frame(stranger, frame); },
                     [this, stranger](const Connection::End&) { forget(stranger); }});
}

void Greeting::on_frame(const StrangerPtr& stranger, const Frame& frame) {
  if (!stranger->connection) return;
  if (stranger->handshake) return on_proof(stranger, frame);
  if (frame.type != Type::hello) return drop(stranger, "sent something else before HELLO");
  if (stranger->connection->peer().network) return on_hello(stranger, frame);
  ConnectionPtr connection = forget(stranger);
  callbacks_.on_greeted(connection, frame, nullptr);
}

void Greeting::on_hello(const StrangerPtr& stranger, const Frame& frame) {
  std::string mismatch = version_mismatch(frame, program_version);
  if (!mismatch.empty()) return refuse(*forget(stranger), mismatch, program_version);
  stranger->claim = ListenerHandshake::claim_of(frame);
  if (!stranger->claim) {
    ++failed_proofs_;
    return refuse(*forget(stranger),
                  "a daemon must have a credential to come in over the network; launch_remote() on the host "
                  "prints a command that has one",
                  program_version);
  }
  std::optional<Secret> token = callbacks_.token(*stranger->claim);
  const Peer& peer = stranger->connection->peer();
  if (token && peer.ticket) peer.ticket->is_promising();
  stranger->role = frame.number(Key::role);
  stranger->handshake = std::make_unique<ListenerHandshake>(peer.binding);
  Result<Frame> challenge = stranger->handshake->on_hello(frame, token ? *token : nobodys_, program_version);
  if (!challenge) return drop(stranger, challenge.error().message);
  stranger->since = std::chrono::steady_clock::now();
  stranger->connection->send(std::move(*challenge));
}

void Greeting::on_proof(const StrangerPtr& stranger, const Frame& frame) {
  if (!stranger->handshake->on_proof(frame)) {
    ++failed_proofs_;
    spdlog::warn("{} could not prove that it has a credential", stranger->connection->peer().address);
    return refuse(*forget(stranger), "the proof of the credential is wrong", program_version);
  }
  Frame introduction = frame;
  introduction.with(Key::role, stranger->role).with(Key::version, program_version);
  Proven proven{stranger->claim->id, stranger->claim->rank, stranger->handshake->resumption()};
  proven.round_trip = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                            stranger->since);
  ConnectionPtr connection = forget(stranger);
  callbacks_.on_greeted(connection, introduction, &proven);
}

void Greeting::drop(const StrangerPtr& stranger, const std::string& why) {
  ConnectionPtr connection = forget(stranger);
  spdlog::warn("{} {} and is dropped", connection->peer().address, why);
  connection->drop(why);
}

ConnectionPtr Greeting::forget(const StrangerPtr& stranger) {
  ConnectionPtr connection = std::exchange(stranger->connection, nullptr);
  if (!connection) return nullptr;
  distant_.remove(stranger);
  if (local_.remove(stranger) == 0 || !local_.empty()) return connection;
  // Cancelling would leave the system's timer set, which wakes an idle process for
  // nothing; setting it far ahead does not.
  timer_.expires_after(std::chrono::hours(24));
  timer_.async_wait([](boost::system::error_code) {});
  return connection;
}

void Greeting::arm() {
  if (local_.empty()) return;
  timer_.expires_at(local_.front()->since + time_limit);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    auto now = std::chrono::steady_clock::now();
    while (!local_.empty() && local_.front()->since + time_limit <= now) {
      drop(StrangerPtr(local_.front()), "did not greet within " + std::to_string(time_limit.count()) + " s");
    }
    arm();
  });
}

void welcome(Connection& connection, Connection::Callbacks callbacks, Frame welcome) {
  connection.set_limit(max_payload);
  connection.hand_over(std::move(callbacks));
  connection.send(std::move(welcome));
}

void refuse(Connection& connection, std::string reason, std::string_view own_version) {
  spdlog::warn("{} is refused: {}", connection.peer().address, printable(reason));
  connection.send(Frame(Type::refused).with(Key::message, reason).with(Key::version, own_version));
  connection.close();
}

std::string version_mismatch(const Frame& greeting, std::string_view own_version) {
  std::string theirs = greeting.text(Key::version);
  if (works_with(own_version, theirs)) return {};
  return "this is tenkai " + std::string(own_version) + ", the other end is " +
         (theirs.empty() ? "of no version that it tells" : "tenkai " + printable(theirs, 40)) +
         ": install the same version on both sides";
}

}  // namespace tenkai
