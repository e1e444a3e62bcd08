#include "scheduler/peers.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/version.h"
#include "process/children.h"
#include "wire/greeting.h"

namespace tenkai {
namespace {

// Frames that a peer may leave unread.
constexpr std::size_t max_unread = 4096;
// Actions for which memory is kept.
constexpr std::size_t max_kept = 4096;

std::string host_name() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return host;
}

}  // namespace

Peers::Peers(asio::any_io_executor executor, Dependencies dependencies, Liveness::Limits limits)
    : dependencies_(std::move(dependencies)),
      table_(dependencies_.dispatcher, dependencies_.grants, *this,
             {limits, host_name(), dependencies_.one_url}),
      timer_(executor) {}

void Peers::on_hello(const ConnectionPtr& connection, const Frame& hello, const Proven* proven) {
  ConnectionId id = ++last_connection_;
  connections_[id] = connection;
  const Peer& peer = connection->peer();
  if (proven != nullptr) connection->share_blocks(hello.number(Key::keeps));
  table_.on_hello(now(), std::chrono::system_clock::now(),
                  {id, peer.address, peer.pid, peer.network, peer.port}, hello, proven);
  act();
}

void Peers::on_frame(ConnectionId id, Connection& connection, Frame&& frame) {
  if (connection.unread() > max_unread) return connection.drop("it does not read what it is sent");
  table_.on_frame(now(), id, std::move(frame));
  act();
}

void Peers::on_closed(ConnectionId id, const Connection::End& end) {
  if (ConnectionPtr connection = let_go(id))
    spdlog::info("connection to {} ended: {}", connection->peer().address, end.reason);
  table_.on_closed(now(), id, end.broken, end.reason);
  act();
}

void Peers::on_job_over(GrantId grant, const std::vector<std::size_t>& slots, const Cause& cause) {
  table_.on_job_over(now(), grant, slots, cause);
  act();
}

void Peers::on_job_suspended(GrantId grant, const std::vector<std::size_t>& slots, bool is_suspended) {
  table_.on_job_suspended(now(), grant, slots, is_suspended);
  act();
}

void Peers::on_process_ended(pid_t pid, const REnd& end) {
  table_.on_process_ended(now(), pid, end);
  act();
}

void Peers::obey(Sends sends) {
  table_.obey(now(), std::move(sends));
  act();
}

void Peers::drop_slot(std::size_t slot) {
  table_.drop_slot(now(), slot);
  act();
}

void Peers::close(bool stop) {
  table_.close(stop);
  act();
}

// --- what the table asks for ---

// What is decided while this is done is done after it.
void Peers::act() {
  if (acts_) return;
  acts_ = true;
  table_.take(batch_);
  do {
    for (PeerAction& action : batch_) std::visit([this](auto& what) { carry_out(what); }, action);
    batch_.clear();
    if (batch_.capacity() > max_kept) batch_.shrink_to_fit();
    if (dependencies_.launcher != nullptr) dependencies_.launcher->on_load();
  } while (table_.take(batch_));
  acts_ = false;
  arm_timer();
}

Connection* Peers::find(ConnectionId connection) const {
  auto found = connections_.find(connection);
  return found == connections_.end() || !found->second->is_open() ? nullptr : found->second.get();
}

ConnectionPtr Peers::let_go(ConnectionId id) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return nullptr;
  ConnectionPtr connection = std::move(found->second);
  connections_.erase(found);
  return connection;
}

void Peers::carry_out(peer_action::Welcome& let_in) {
  ConnectionPtr connection = connections_.at(let_in.to);
  welcome(*connection,
          {[this, id = let_in.to, raw = connection.get()](Frame&& frame) {
             on_frame(id, *raw, std::move(frame));
           },
           [this, id = let_in.to](const Connection::End& end) { on_closed(id, end); }},
          std::move(let_in.frame));
}

void Peers::carry_out(peer_action::Refuse& refusal) {
  if (ConnectionPtr connection = let_go(refusal.to)) refuse(*connection, refusal.why, program_version);
}

void Peers::carry_out(peer_action::Say& say) {
  if (Connection* connection = find(say.to)) connection->send(std::move(say.frame));
}

void Peers::carry_out(peer_action::Drop& drop) {
  if (Connection* connection = find(drop.to)) connection->drop(std::move(drop.why));
}

void Peers::carry_out(peer_action::Close& close) {
  ConnectionPtr connection = let_go(close.to);
  if (!connection) return;
  connection->hand_over({});
  connection->send(std::move(close.frame));
  connection->close();
}

// To the group of a process of ours, so that what the task has started ends with
// it; another's group may hold more than the daemon.
void Peers::carry_out(peer_action::Signal& signal) {
  if (dependencies_.processes.holds(signal.pid)) signal_group(signal.pid, signal.number);
  else ::kill(signal.pid, signal.number);
}

Size Peers::size_of(GrantId grant, std::size_t slot) const {
  return dependencies_.launcher == nullptr ? Size() : dependencies_.launcher->size_of(grant, slot);
}

std::string Peers::place_of(GrantId grant, std::size_t slot) const {
  return dependencies_.launcher == nullptr ? "" : dependencies_.launcher->place_of(grant, slot);
}

void Peers::carry_out(peer_action::Joined& joined) {
  if (dependencies_.launcher != nullptr) dependencies_.launcher->on_joined(joined.grant, joined.slot);
}

void Peers::carry_out(peer_action::Left& left) {
  if (dependencies_.launcher != nullptr) dependencies_.launcher->on_left(left.grant, left.slot, left.why);
}

void Peers::carry_out(peer_action::GivenUp& gone) {
  if (dependencies_.launcher != nullptr)
    dependencies_.launcher->on_given_up(gone.grant, gone.slot, gone.end, gone.starts);
}

void Peers::carry_out(peer_action::Away& away) {
  if (dependencies_.launcher != nullptr) dependencies_.launcher->on_away(away.grant, away.slot);
}

void Peers::carry_out(peer_action::Log& log) { spdlog::info("{}", log.text); }

void Peers::arm_timer() {
  std::optional<Time> next = table_.next_timer();
  // A timer that is armed for an earlier time is left alone: it fires once for
  // nothing, which is cheaper than setting it anew with each task.
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  timer_.expires_at(*next);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    armed_.reset();
    table_.on_timer(now());
    act();
  });
}

}  // namespace tenkai
