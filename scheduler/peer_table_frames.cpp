// What peers say.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "scheduler/end_cause.h"
#include "scheduler/peer_table.h"

namespace tenkai {
namespace {

// Answers nobody waited for, after which a daemon is sent away.
constexpr std::uint64_t max_violations = 16;
constexpr std::size_t max_log = 4096;

REnd end_of(const Frame& frame) {
  REnd end;
  if (frame.find(Key::exit_code) != nullptr)
    end.how.exit_code = static_cast<int>(frame.number(Key::exit_code));
  if (frame.find(Key::signal) != nullptr) end.how.signal = static_cast<int>(frame.number(Key::signal));
  end.out_of_memory = frame.number(Key::out_of_memory) == 1;
  end.excess = printable(frame.text(Key::message), max_last_words);
  end.log_tail = printable(frame.text(Key::log_tail), max_last_words);
  return end;
}

Dispatcher::Piece piece_in(Frame& frame) {
  Dispatcher::Piece piece{{frame.session, frame.task}, frame.attempt, std::move(frame.payload)};
  piece.count = frame.number(Key::count);
  piece.failed = frame.number(Key::failed) == 1;
  piece.interrupted = frame.number(Key::interrupted) == 1;
  piece.last = frame.number(Key::last) == 1;
  piece.usage = usage_in(frame);
  return piece;
}

}  // namespace

void PeerTable::on_frame(Time now, ConnectionId connection, Frame&& frame) {
  now_ = now;
  auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  Connected& peer = *found->second;
  if (liveness_.size() != 0 && liveness_.on_heard(now, peer.id)) set_suspect(peer, false);
  switch (frame.type) {
    case Type::finished: return on_finished(peer, std::move(frame));
    case Type::said: return on_said(peer, std::move(frame));
    case Type::pong: return;
    case Type::ping: return say(peer, Frame(Type::pong));
    case Type::bye:
      peer.said_goodbye = true;
      if (peer.role == Role::daemon && peer.ranks.count(0) != 0) {
        Sends sends = dispatcher_.on_daemon_leaving(now, peer.ranks[0]);
        carry_out(sends);
      }
      return;
    case Type::join:
      if (peer.role == Role::agent) return on_join(peer, frame);
      break;
    case Type::left:
      if (peer.role == Role::agent) return on_left(peer, frame);
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
    case Type::map:
    case Type::block:
    case Type::elements:
    case Type::proof: break;
  }
  hang_up(peer, "a frame of type " + std::to_string(static_cast<int>(frame.type)) + " does not belong here");
}

void PeerTable::on_finished(Connected& peer, Frame&& frame) {
  auto rank = peer.ranks.find(frame.rank);
  if (rank == peer.ranks.end()) {
    // The last word of a daemon that was just sent away; not a stream of them.
    if (++peer.strays > max_violations)
      settle(peer, {Cause::Kind::lost, "answered for daemons it does not have"});
    return;
  }
  peer.strays = 0;
  DaemonId daemon = rank->second;
  Sends sends = frame.find(Key::count) != nullptr
                    ? dispatcher_.on_piece_finished(now_, daemon, piece_in(frame))
                    : dispatcher_.on_finished(
                          now_, daemon, {frame.session, frame.task}, frame.attempt, std::move(frame.payload),
                          frame.number(Key::failed) == 1, frame.number(Key::last) == 1,
                          printable(frame.text(Key::message), max_last_words), usage_in(frame));
  carry_out(sends);
  set_busy(peer);
  if (dispatcher_.violations(daemon) > max_violations) {
    settle(peer, {Cause::Kind::lost, "sent too many answers that nobody waited for"});
  }
}

// It is passed on while the task runs, and nothing is kept of it.
void PeerTable::on_said(const Connected& peer, Frame&& frame) {
  auto rank = peer.ranks.find(frame.rank);
  if (rank == peer.ranks.end() || size_of(frame.payload) > max_said) return;
  if (!dispatcher_.is_awaited(rank->second, {frame.session, frame.task}, frame.attempt)) return;
  Frame said(Type::said);
  said.task = frame.task;
  said.attempt = frame.attempt;
  said.with(Key::number, frame.number(Key::number));
  said.payload = std::move(frame.payload);
  act(peer_action::PassOn{std::move(said)});
}

void PeerTable::on_join(Connected& peer, const Frame& frame) {
  if (frame.rank >= max_ranks) return hang_up(peer, "it has too many daemons");
  std::string instance = frame.text(Key::instance);
  std::optional<Dispatcher::Held> held;
  if (frame.attempt != 0) held = Dispatcher::Held{{frame.session, frame.task}, frame.attempt};
  auto known = peer.ranks.find(frame.rank);
  if (known != peer.ranks.end() && peer.instances[frame.rank] == instance) {
    DaemonId daemon = known->second;
    peer.silent.erase(frame.rank);
    // The first one may have been lost with the connection, and its R still wait for it.
    let_in(peer, frame.rank, dispatcher_.slot_of(daemon).value_or(0));
    if (peer.to_kill.erase(frame.rank) != 0) end({&peer, frame.rank}, CancelKind::kill);
    Sends sends = dispatcher_.on_daemon_resumed(now_, daemon, held);
    carry_out(sends);
    return set_busy(peer);
  }
  if (known != peer.ranks.end()) remove(peer, frame.rank, {Cause::Kind::lost, "was replaced by another R"});

  std::string why_not;
  std::optional<std::size_t> slot = free_slot(frame.text(Key::url), peer.from, peer.admission, why_not);
  if (!slot) return refuse_rank(peer, frame.rank, instance, why_not);
  DaemonId daemon = number(peer, frame.rank);
  peer.instances[frame.rank] = instance;
  peer.had_daemons = true;
  let_in(peer, frame.rank, *slot);
  if (peer.pid) act(peer_action::LocalJoined{*peer.pid});
  // What it still holds was given up long ago; it must not go on with it.
  if (held) carry_out(Interrupt{daemon, held->key, held->attempt});
  std::optional<std::chrono::milliseconds> left;
  if (frame.find(Key::time_left_ms) != nullptr)
    left = std::chrono::milliseconds(frame.number(Key::time_left_ms));
  Size size;
  if (peer.admission) size = world_.size_of(peer.admission->grant, *slot);
  seat(peer, daemon, *slot, left, size);
}

void PeerTable::let_in(const Connected& peer, std::uint32_t rank, std::size_t slot) {
  Frame answer(Type::welcome);
  answer.rank = rank;
  answer.with(Key::slot, slot + 1).with(Key::instance, peer.instances.at(rank));
  say(peer, std::move(answer));
}

void PeerTable::refuse_rank(const Connected& peer, std::uint32_t rank, const std::string& instance,
                            const std::string& why) {
  Frame refusal(Type::refused);
  refusal.rank = rank;
  refusal.with(Key::instance, instance).with(Key::message, why);
  say(peer, std::move(refusal));
}

// --- of R processes that have ended ---

void PeerTable::on_left(Connected& peer, const Frame& frame) {
  auto kind = frame.kind<LeftKind>();
  if (kind == LeftKind::given_up) return on_given_up(peer, frame);
  // Told again after a reconnection; the rank may have another R by now.
  auto known = peer.instances.find(frame.rank);
  if (known == peer.instances.end() || known->second != frame.text(Key::instance)) return;
  REnd end = end_of(frame);
  Cause cause = cause_of(end);
  switch (kind) {
    case LeftKind::drains: {
      std::vector<DaemonId> all;
      for (const auto& [rank, daemon] : peer.ranks) all.push_back(daemon);
      Sends sends = dispatcher_.on_drain(now_, all);
      return carry_out(sends);
    }
    case LeftKind::job_ends: return on_job_ends(peer, cause);
    case LeftKind::goodbye: return remove(peer, frame.rank, {Cause::Kind::goodbye, "said goodbye"});
    case LeftKind::ended: cause.log = end.log_tail; return remove(peer, frame.rank, cause);
    case LeftKind::given_up: break;  // above, whatever its R was
  }
}

// Its agent starts no other R there: who has launched it would wait for ever.
void PeerTable::on_given_up(Connected& peer, const Frame& frame) {
  if (frame.rank >= max_ranks || !peer.given_up.insert(frame.rank).second) return;
  std::string why_not;
  auto slot = own_slot(frame.text(Key::url), peer.from, peer.admission, why_not);
  if (!slot) return;  // it is somebody else's by now
  REnd end = end_of(frame);
  end.log_tail = printable_lines(frame.text(Key::log_tail).substr(0, max_log));
  GrantId grant = peer.admission ? peer.admission->grant : 0;
  act(peer_action::GivenUp{grant, *slot, std::move(end), frame.number(Key::failed)});
}

}  // namespace tenkai
