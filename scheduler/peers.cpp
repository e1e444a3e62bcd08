#include "scheduler/peers.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "scheduler/end_cause.h"
#include "wire/greeting.h"

namespace tenkai {
namespace {

// How long the one of two signs of a local daemon's end is waited for after the
// other: the end of its stream, and its exit status.
constexpr std::chrono::milliseconds wait_for_status{2000};
constexpr std::chrono::milliseconds wait_for_last_words{500};
// Answers nobody waited for, after which a daemon is sent away.
constexpr std::uint64_t max_violations = 16;
// Agents that have no daemons (yet), and frames that a peer may leave unread.
constexpr std::size_t max_idle_agents = 256;
constexpr std::size_t max_unread = 4096;
// Bytes of what a daemon has to say to the user.
constexpr std::size_t max_message = 1000;

Time now() { return std::chrono::steady_clock::now(); }

Cause with_log(Cause cause, const std::string& log) {
  cause.log = printable(log, max_message);
  return cause;
}

}  // namespace

Peers::Peers(asio::any_io_executor executor, Dependencies dependencies, Liveness::Limits limits)
    : executor_(executor),
      dependencies_(std::move(dependencies)),
      reconnect_(limits.reconnect),
      liveness_(limits) {}

// A connection's callbacks keep its peer alive; the peer must let go of it.
Peers::~Peers() {
  for (const auto& [id, peer] : peers_) peer->connection = nullptr;
}

const Peers::Member* Peers::find(DaemonId daemon) const {
  auto found = daemons_.find(daemon);
  return found == daemons_.end() ? nullptr : &found->second;
}

void Peers::after(std::chrono::milliseconds wait, std::function<void()> action) {
  auto timer = std::make_shared<asio::steady_timer>(executor_, wait);
  timer->async_wait([timer, action = std::move(action)](boost::system::error_code cancelled) {
    if (!cancelled) action();
  });
}

// A goodbye counts more than the exit status that follows it.
Cause Peers::cause_of_end(const Connected& peer) {
  if (peer.said_goodbye) return {Cause::Kind::goodbye, "said goodbye"};
  return with_log(cause_of(*peer.ended), peer.ended->log_tail);
}

// --- coming in ---

void Peers::on_hello(const ConnectionPtr& connection, const Frame& hello, const Proven* proven) {
  std::string mismatch = version_mismatch(hello, program_version);
  if (!mismatch.empty()) return refuse(*connection, mismatch, program_version);
  Role role = static_cast<Role>(hello.number(Key::role));
  if (role != Role::daemon && role != Role::agent) {
    return refuse(*connection, "only daemons and agents come in here", program_version);
  }
  Admission admission;
  if (proven != nullptr) {
    dependencies_.grants.forget_late(now());
    Result<Grants::Admission> admitted =
        dependencies_.grants.admit(*proven, std::chrono::system_clock::now());
    if (!admitted) return refuse(*connection, admitted.error().message, program_version);
    admission = std::move(*admitted);
    if (admission->replaces) replace(*admission->replaces);
  }
  std::chrono::milliseconds round_trip(0);
  if (proven != nullptr) round_trip = proven->round_trip;
  role == Role::daemon ? welcome_daemon(connection, hello, admission)
                       : welcome_agent(connection, hello, admission, round_trip);
}

// A credential that is good any number of times must not leave a way back each time.
void Peers::turn_away(const ConnectionPtr& connection, const Admission& admission, const std::string& why) {
  if (admission && !admission->is_back) dependencies_.grants.forget(admission->resumption);
  refuse(*connection, why, program_version);
}

// The same rank of the same job has been started anew.
void Peers::replace(const CredentialId& resumption) {
  for (const auto& [id, known] : peers_) {
    if (!known->admission || known->admission->resumption != resumption) continue;
    return settle(PeerPtr(known), {Cause::Kind::lost, "was started anew elsewhere"});
  }
}

std::optional<std::size_t> Peers::own_slot(const std::string& url, const Connection& from,
                                           const Admission& admission, std::string& why_not) const {
  std::optional<std::size_t> slot = 0;
  if (!dependencies_.one_url) slot = dependencies_.doors.slot_of(url, from.peer().port);
  if (!slot) {
    why_not = "no slot has the URL " + printable(url) + "; it may have been replaced by saisei()";
    return std::nullopt;
  }
  if (admission && !dependencies_.grants.covers(admission->grant, *slot)) {
    why_not = "the credential it has is not for " + printable(url);
    return std::nullopt;
  }
  return slot;
}

std::optional<std::size_t> Peers::free_slot(const std::string& url, const Connection& from,
                                            const Admission& admission, std::string& why_not) {
  std::optional<std::size_t> slot = own_slot(url, from, admission, why_not);
  if (!slot || dependencies_.one_url) return slot;
  auto taken = slots_.find(*slot);
  if (taken == slots_.end()) return slot;
  PeerPtr there = daemons_.at(taken->second).peer;
  // One that is dead, but whose exit status has not come yet, makes room.
  if (there->role == Role::daemon && there->connection && !there->connection->is_open()) {
    settle(there, {Cause::Kind::lost, "closed its connection"});
    return slot;
  }
  why_not = "slot " + std::to_string(*slot + 1) + " (" + printable(url) + ") is taken by another daemon" +
            (there->pid ? ", pid " + std::to_string(*there->pid) : "");
  return std::nullopt;
}

void Peers::welcome_daemon(const ConnectionPtr& connection, const Frame& hello, const Admission& admission) {
  std::string why_not;
  std::optional<std::size_t> slot = free_slot(hello.text(Key::url), *connection, admission, why_not);
  if (!slot) return turn_away(connection, admission, why_not);
  auto peer = std::make_shared<Connected>();
  peer->id = ++last_peer_;
  peer->connection = connection;
  peer->pid = connection->peer().pid;
  peer->admission = admission;
  peer->ranks[0] = ++last_daemon_;
  peers_[peer->id] = peer;
  daemons_[last_daemon_] = {peer, 0};
  if (peer->pid) dependencies_.local.on_joined(*peer->pid);
  watch(peer);
  welcome(*connection, callbacks_for(peer), Frame(Type::welcome).with(Key::version, program_version));
  spdlog::info("daemon {} ({}) has joined", last_daemon_, connection->peer().address);
  dependencies_.apply(dependencies_.dispatcher.on_daemon_joined(now(), last_daemon_, *slot));
  if (auto at = dependencies_.dispatcher.slot_of(peer->ranks[0])) slots_[*at] = peer->ranks[0];
  tell_of_daemon(*peer, *slot, std::nullopt);
  dependencies_.on_changed();
}

// One that has a credential is known by the secret it got with it: what it says of
// itself could be said by another.
Peers::PeerPtr Peers::find_returned(const std::string& instance, const Admission& admission) const {
  for (const auto& [id, known] : peers_) {
    if (known->role != Role::agent || known->admission.has_value() != admission.has_value()) continue;
    bool same = admission ? admission->is_back && known->admission->resumption == admission->resumption
                          : !instance.empty() && known->instance == instance;
    if (same) return known;
  }
  return nullptr;
}

// The process of ours that it says it is: an agent that one of our local daemons has started
// for a URL of the network. One of another slot could say so, too, and have it killed when it
// goes itself; its credential is not for that slot.
std::optional<pid_t> Peers::own_process(const Frame& hello, const Admission& admission) const {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  if (!admission || hello.text(Key::host) != host) return std::nullopt;
  auto pid = static_cast<pid_t>(hello.number(Key::pid));
  std::optional<std::size_t> slot = dependencies_.local.slot_of(pid);
  if (!slot || !dependencies_.grants.covers(admission->grant, *slot)) return std::nullopt;
  auto is_it = [pid](const auto& each) { return each.second->pid == pid; };
  if (std::any_of(peers_.begin(), peers_.end(), is_it)) return std::nullopt;
  return pid;
}

void Peers::welcome_agent(const ConnectionPtr& connection, const Frame& hello, const Admission& admission,
                          std::chrono::milliseconds round_trip) {
  std::string instance = hello.text(Key::instance);
  PeerPtr peer = find_returned(instance, admission);
  Frame answer(Type::welcome);
  answer.with(Key::version, program_version)
      .with(Key::grace_ms, static_cast<std::uint64_t>(reconnect_.count()));
  if (peer) {
    // Back after a break, perhaps before we have noticed it.
    if (peer->connection) {
      peer->connection->hand_over({});
      peer->connection->drop("replaced by a newer connection");
      set_suspect(peer, true);
    }
    peer->connection = connection;
    spdlog::info("the agent at {} is back", connection->peer().address);
    welcome(*connection, callbacks_for(peer), std::move(answer));
    // Each daemon is trusted again when it has said what it holds (JOIN): a task
    // sent before would be sent twice.
    liveness_.on_reconnected(now(), peer->id);
    liveness_.set_round_trip(peer->id, round_trip);
    return;
  }
  if (agents_without_daemons() >= max_idle_agents) {
    return turn_away(connection, admission, "too many agents are connected that have no daemons");
  }
  peer = std::make_shared<Connected>();
  peer->id = ++last_peer_;
  peer->role = Role::agent;
  peer->instance = instance;
  peer->admission = admission;
  peer->pid = own_process(hello, admission);
  peer->connection = connection;
  peers_[peer->id] = peer;
  watch(peer);
  liveness_.set_round_trip(peer->id, round_trip);
  spdlog::info("an agent at {} has connected", connection->peer().address);
  welcome(*connection, callbacks_for(peer), std::move(answer));
}

std::size_t Peers::agents_without_daemons() const {
  return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& known) {
    return known.second->role == Role::agent && known.second->ranks.empty();
  }));
}

void Peers::watch(const PeerPtr& peer) {
  if (peer->role == Role::agent || peer->connection->peer().network) liveness_.add(peer->id, now());
}

Connection::Callbacks Peers::callbacks_for(const PeerPtr& peer) {
  // on_closed, which is let go later, keeps the peer alive. The small closure
  // fits into its std::function.
  return {[this, raw = peer.get()](Frame&& frame) { on_frame(raw->shared_from_this(), std::move(frame)); },
          [this, peer, raw = peer->connection.get()](const Connection::End& end) {
            if (peer->connection.get() == raw) on_closed(peer, end);
          }};
}

// --- what they say ---

void Peers::on_frame(const PeerPtr& peer, Frame&& frame) {
  if (liveness_.size() != 0) {
    if (liveness_.on_heard(now(), peer->id)) set_suspect(peer, false);
  }
  if (peer->connection->unread() > max_unread)
    return peer->connection->drop("it does not read what it is sent");
  switch (frame.type) {
    case Type::finished: return on_finished(peer, std::move(frame));
    case Type::pong: return;
    case Type::ping: return peer->connection->send(Frame(Type::pong));
    case Type::bye:
      peer->said_goodbye = true;
      if (peer->role == Role::daemon && peer->ranks.count(0) != 0) {
        dependencies_.apply(dependencies_.dispatcher.on_daemon_leaving(now(), peer->ranks[0]));
      }
      return;
    case Type::join:
      if (peer->role == Role::agent) return on_join(peer, frame);
      break;
    case Type::left:
      if (peer->role == Role::agent) return on_left(peer, frame);
      break;
    case Type::hello:
    case Type::welcome:
    case Type::refused:
    case Type::setup:
    case Type::ready:
    case Type::submit:
    case Type::everywhere:
    case Type::cancel:
    case Type::resolved:
    case Type::request:
    case Type::reply:
    case Type::note:
    case Type::task:
    case Type::ack:
    case Type::segment:
    case Type::challenge:
    case Type::proof: break;
  }
  peer->connection->drop("a frame of type " + std::to_string(static_cast<int>(frame.type)) +
                         " does not belong here");
}

void Peers::on_finished(const PeerPtr& peer, Frame&& frame) {
  auto rank = peer->ranks.find(frame.rank);
  if (rank == peer->ranks.end()) {
    // The last word of a daemon that was just sent away; not a stream of them.
    if (++peer->strays > max_violations)
      settle(peer, {Cause::Kind::lost, "answered for daemons it does not have"});
    return;
  }
  peer->strays = 0;
  DaemonId daemon = rank->second;
  bool last = frame.number(Key::last) == 1;
  dependencies_.apply(dependencies_.dispatcher.on_finished(
      now(), daemon, {frame.session, frame.task}, frame.attempt, std::move(frame.payload),
      frame.number(Key::failed) == 1, last, printable(frame.text(Key::message), max_message),
      usage_in(frame)));
  set_busy(peer);
  if (dependencies_.dispatcher.violations(daemon) > max_violations) {
    settle(peer, {Cause::Kind::lost, "sent too many answers that nobody waited for"});
  }
}

void Peers::on_join(const PeerPtr& peer, const Frame& frame) {
  if (frame.rank >= max_ranks) return peer->connection->drop("it has too many daemons");
  std::string instance = frame.text(Key::instance);
  std::optional<Dispatcher::Held> held;
  if (frame.attempt != 0) held = Dispatcher::Held{{frame.session, frame.task}, frame.attempt};
  auto known = peer->ranks.find(frame.rank);
  if (known != peer->ranks.end() && peer->instances[frame.rank] == instance) {
    DaemonId daemon = known->second;
    // The first one may have been lost with the connection, and its R still wait for it.
    let_in(*peer, frame.rank, dependencies_.dispatcher.slot_of(daemon).value_or(0));
    if (peer->to_kill.erase(frame.rank) != 0) kill(daemon);
    dependencies_.apply(dependencies_.dispatcher.on_daemon_resumed(now(), daemon, held));
    return set_busy(peer);
  }
  if (known != peer->ranks.end()) remove(peer, frame.rank, {Cause::Kind::lost, "was replaced by another R"});

  std::string why_not;
  std::optional<std::size_t> slot =
      free_slot(frame.text(Key::url), *peer->connection, peer->admission, why_not);
  if (!slot) return refuse_rank(*peer, frame.rank, instance, why_not);
  DaemonId daemon = ++last_daemon_;
  peer->ranks[frame.rank] = daemon;
  peer->instances[frame.rank] = instance;
  daemons_[daemon] = {peer, frame.rank};
  peer->had_daemons = true;
  let_in(*peer, frame.rank, *slot);
  if (peer->pid) dependencies_.local.on_joined(*peer->pid);
  // What it still holds was given up long ago; it must not go on with it.
  if (held) interrupt(daemon, held->key, held->attempt);
  std::optional<std::chrono::milliseconds> left;
  if (frame.find(Key::time_left_ms) != nullptr)
    left = std::chrono::milliseconds(frame.number(Key::time_left_ms));
  Size size;
  if (dependencies_.launcher != nullptr && peer->admission)
    size = dependencies_.launcher->size_of(peer->admission->grant, *slot);
  dependencies_.apply(dependencies_.dispatcher.on_daemon_joined(now(), daemon, *slot, left, size));
  if (auto at = dependencies_.dispatcher.slot_of(daemon)) slots_[*at] = daemon;
  set_busy(peer);
  tell_of_daemon(*peer, *slot, std::nullopt);
  dependencies_.on_changed();
}

void Peers::let_in(const Connected& peer, std::uint32_t rank, std::size_t slot) {
  Frame answer(Type::welcome);
  answer.rank = rank;
  answer.with(Key::slot, slot + 1).with(Key::instance, peer.instances.at(rank));
  peer.connection->send(std::move(answer));
}

void Peers::refuse_rank(const Connected& peer, std::uint32_t rank, const std::string& instance,
                        const std::string& why) {
  Frame refusal(Type::refused);
  refusal.rank = rank;
  refusal.with(Key::instance, instance).with(Key::message, why);
  peer.connection->send(std::move(refusal));
}

// --- going out ---

void Peers::on_closed(const PeerPtr& peer, const Connection::End& end) {
  spdlog::info("connection to {} ended: {}", peer->connection->peer().address, end.reason);
  bool may_return = !peer->ranks.empty() || !peer->had_daemons;
  if (peer->job_is_over) return settle(peer, *peer->job_ends);
  if (peer->job_ends) return;  // what has become of its job is waited for
  if (peer->role == Role::agent && !peer->said_goodbye && may_return) {
    peer->connection = nullptr;
    auto verdict = liveness_.on_disconnected(now(), peer->id, !end.broken);
    if (verdict == Liveness::Verdict::suspect) set_suspect(peer, true);
    ask_what_happened(*peer);
    return dependencies_.on_changed();
  }
  if (peer->said_goodbye || peer->ended) return settle(peer, cause_of_end(*peer));
  if (peer->pid && dependencies_.processes.holds(*peer->pid)) {
    // Ours: its exit status says more, and comes in a moment.
    return after(wait_for_status, [this, peer] {
      settle(peer, {Cause::Kind::lost, "closed its connection"});
    });
  }
  settle(peer, {Cause::Kind::lost, "closed its connection (" + end.reason + ")"});
}

void Peers::on_process_ended(pid_t pid, const REnd& end) {
  auto found =
      std::find_if(peers_.begin(), peers_.end(), [pid](const auto& each) { return each.second->pid == pid; });
  if (found == peers_.end())
    return dependencies_.local.on_left(pid, {Cause::Kind::goodbye, "was sent away"}, true);
  PeerPtr peer = found->second;
  peer->ended = end;
  if (!peer->connection || !peer->connection->is_open()) return settle(peer, cause_of_end(*peer));
  // Its last answer may still be in the stream.
  after(wait_for_last_words, [this, peer] { settle(peer, cause_of_end(*peer)); });
}

// The peer is gone for good, with all its daemons. Does nothing the second time.
void Peers::settle(const PeerPtr& peer, const Cause& cause) {
  if (peers_.count(peer->id) == 0) return;
  if (peer->admission) dependencies_.grants.forget(peer->admission->resumption);
  take_out(peer, cause);
}

// Its work is given to others, for nobody knows whether it is alive. If it is, it may
// come back, for as long as its agent tries.
void Peers::give_up(const PeerPtr& peer, const Cause& cause) {
  if (peers_.count(peer->id) == 0) return;
  if (peer->admission) dependencies_.grants.forget_at(peer->admission->resumption, now() + reconnect_);
  take_out(peer, cause);
}

void Peers::take_out(const PeerPtr& peer, const Cause& cause) {
  if (peers_.erase(peer->id) == 0) return;
  liveness_.remove(peer->id);
  if (ConnectionPtr connection = std::exchange(peer->connection, nullptr)) connection->drop("gone");
  auto ranks = peer->ranks;
  for (const auto& [rank, daemon] : ranks) remove(peer, rank, cause);
  // One that had no daemon any more has been sent away.
  if (peer->pid) dependencies_.local.on_left(*peer->pid, {Cause::Kind::goodbye, "was sent away"}, true);
  dependencies_.on_changed();
}

void Peers::tell_of_daemon(const Connected& peer, std::size_t slot, std::optional<Cause::Kind> left) {
  bool is_ours = peer.pid && dependencies_.local.holds(*peer.pid);
  if (dependencies_.launcher == nullptr || (is_ours && !peer.admission)) return;
  GrantId grant = peer.admission ? peer.admission->grant : 0;
  left ? dependencies_.launcher->on_left(grant, slot, *left) : dependencies_.launcher->on_joined(grant, slot);
}

void Peers::remove(const PeerPtr& peer, std::uint32_t rank, const Cause& why) {
  auto found = peer->ranks.find(rank);
  if (found == peer->ranks.end()) return;
  DaemonId daemon = found->second;
  peer->ranks.erase(found);
  peer->instances.erase(rank);
  peer->to_kill.erase(rank);
  std::optional<std::size_t> slot = dependencies_.dispatcher.slot_of(daemon);
  Cause cause = why;
  if (slot) cause.text = with_place(*peer, *slot, why.text);
  if (slot) slots_.erase(*slot);
  daemons_.erase(daemon);
  spdlog::info("daemon {} is gone: {}", daemon, in_full(cause));
  bool worked = dependencies_.dispatcher.has_worked(daemon);
  dependencies_.apply(dependencies_.dispatcher.on_daemon_left(now(), daemon, cause));
  set_busy(peer);
  // Where the slot has been given to another URL, the credential alone tells whose it was.
  tell_of_daemon(*peer, dependencies_.one_url ? 0 : slot.value_or(SIZE_MAX), cause.kind);
  if (peer->pid) dependencies_.local.on_left(*peer->pid, cause, worked);
  dependencies_.on_changed();
}

void Peers::drop_slot(std::size_t slot) {
  auto found = slots_.find(slot);
  if (found == slots_.end()) return;
  DaemonId daemon = found->second;
  Member member = daemons_.at(daemon);
  slots_.erase(found);
  daemons_.erase(daemon);
  member.peer->ranks.erase(member.rank);
  if (member.peer->role == Role::daemon) {
    signal_daemon(*member.peer, SIGINT);
    settle(member.peer, {Cause::Kind::goodbye, "was sent away"});
    return;
  }
  set_busy(member.peer);
  if (!member.peer->connection) return;  // away: refused when it is back
  refuse_rank(*member.peer, member.rank, member.peer->instances[member.rank], "the slot has a new URL");
}

void Peers::close(bool stop) {
  for (const auto& [id, peer] : peers_) {
    if (!peer->connection) continue;
    Frame goodbye(Type::bye);
    goodbye.with_kind(stop ? ByeKind::end_all : ByeKind::end);
    ConnectionPtr connection = std::exchange(peer->connection, nullptr);
    connection->hand_over({});
    connection->send(std::move(goodbye));
    connection->close();
  }
  peers_.clear();
  daemons_.clear();
  slots_.clear();
}

}  // namespace tenkai
