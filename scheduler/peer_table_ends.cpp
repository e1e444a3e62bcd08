// How peers, and daemons behind them, go.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "scheduler/end_cause.h"
#include "scheduler/peer_table.h"

namespace tenkai {
namespace {

// How long the one of two signs of a local daemon's end is waited for after the
// other: the end of its stream, and its exit status.
constexpr std::chrono::milliseconds wait_for_status{2000};
constexpr std::chrono::milliseconds wait_for_last_words{500};

Cause with_log(Cause cause, const std::string& log) {
  cause.log = printable(log, max_last_words);
  return cause;
}

}  // namespace

bool PeerTable::is_connected(const Connected& peer) const {
  return peer.from.connection != 0 && world_.is_open(peer.from.connection);
}

// A goodbye counts more than the exit status that follows it.
Cause PeerTable::cause_of_end(const Connected& peer) {
  if (peer.said_goodbye) return {Cause::Kind::goodbye, "said goodbye"};
  return with_log(cause_of(*peer.ended), peer.ended->log_tail);
}

void PeerTable::on_closed(Time now, ConnectionId connection, bool broken, const std::string& reason) {
  now_ = now;
  auto found = connections_.find(connection);
  if (found == connections_.end()) return;
  Connected& peer = *found->second;
  connections_.erase(found);
  peer.from.connection = 0;
  on_cut_off(peer, broken, reason);
}

void PeerTable::drop(Connected& peer, const std::string& why) {
  act(peer_action::Drop{peer.from.connection, why});
  connections_.erase(std::exchange(peer.from.connection, 0));
}

void PeerTable::hang_up(Connected& peer, const std::string& why) {
  drop(peer, why);
  on_cut_off(peer, false, why);
}

void PeerTable::on_cut_off(Connected& peer, bool broken, const std::string& reason) {
  bool may_return = !peer.ranks.empty() || !peer.had_daemons;
  if (peer.job_is_over) return settle(peer, *peer.job_ends);
  if (peer.job_ends) return;  // what has become of its job is waited for
  if (peer.role == Role::agent && !peer.said_goodbye && may_return) {
    auto verdict = liveness_.on_disconnected(now_, peer.id, !broken);
    if (verdict == Liveness::Verdict::suspect) set_suspect(peer, true);
    ask_what_happened(peer);
    return act(peer_action::Changed{});
  }
  if (peer.said_goodbye || peer.ended) return settle(peer, cause_of_end(peer));
  if (peer.pid && world_.slot_of(*peer.pid)) {
    // Ours: its exit status says more, and comes in a moment. It hears of no task any more.
    set_suspect(peer, true);
    return settle_after(peer, wait_for_status);
  }
  settle(peer, {Cause::Kind::lost, "closed its connection (" + reason + ")"});
}

void PeerTable::on_process_ended(Time now, pid_t pid, const REnd& end) {
  now_ = now;
  auto found =
      std::find_if(peers_.begin(), peers_.end(), [pid](const auto& each) { return each.second->pid == pid; });
  if (found == peers_.end())
    return act(peer_action::LocalLeft{pid, {Cause::Kind::goodbye, "was sent away"}, true});
  Connected& peer = *found->second;
  peer.ended = end;
  if (!is_connected(peer)) return settle(peer, cause_of_end(peer));
  // Its last answer may still be in the stream. It hears of no task any more.
  set_suspect(peer, true);
  settle_after(peer, wait_for_last_words);
}

void PeerTable::settle_after(const Connected& peer, std::chrono::milliseconds wait) {
  deadlines_.emplace(now_ + wait, peer.id);
}

// The peer is gone for good, with all its daemons.
void PeerTable::settle(Connected& peer, Cause cause) {
  if (peer.admission) grants_.forget(peer.admission->resumption);
  take_out(peer, cause);
}

// Its work is given to others, for nobody knows whether it is alive. If it is, it may
// come back, for as long as its agent tries.
void PeerTable::give_up(Connected& peer, Cause cause) {
  if (peer.admission) grants_.forget_at(peer.admission->resumption, now_ + settings_.limits.reconnect);
  take_out(peer, cause);
}

// An agent that is away, and none of whose daemons is waited for.
void PeerTable::give_up_if_empty(Connected& peer) {
  if (peer.role == Role::agent && peer.from.connection == 0 && peer.ranks.empty())
    give_up(peer, {Cause::Kind::goodbye, "was sent away"});
}

void PeerTable::take_out(Connected& peer, const Cause& cause) {
  auto held = peers_.extract(peer.id);
  liveness_.remove(peer.id);
  std::erase_if(deadlines_, [&peer](const auto& each) { return each.second == peer.id; });
  if (peer.from.connection != 0) drop(peer, "gone");
  // What one of them ran is not for the next, which goes as well.
  set_suspect(peer, true);
  for (const auto& [rank, daemon] : Ranks(peer.ranks)) remove(peer, rank, cause);
  // One that had no daemon any more has been sent away.
  if (peer.pid) act(peer_action::LocalLeft{*peer.pid, {Cause::Kind::goodbye, "was sent away"}, true});
  act(peer_action::Changed{});
}

void PeerTable::tell_of_daemon(const Connected& peer, std::size_t slot, std::optional<Cause::Kind> left) {
  bool is_ours = peer.pid && world_.slot_of(*peer.pid);
  if (is_ours && !peer.admission) return;
  GrantId grant = peer.admission ? peer.admission->grant : 0;
  if (left) act(peer_action::Left{grant, slot, *left});
  else act(peer_action::Joined{grant, slot});
}

void PeerTable::remove(Connected& peer, std::uint32_t rank, const Cause& why) {
  auto found = peer.ranks.find(rank);
  if (found == peer.ranks.end()) return;
  DaemonId daemon = found->second;
  peer.ranks.erase(found);
  peer.instances.erase(rank);
  peer.to_kill.erase(rank);
  peer.silent.erase(rank);
  std::optional<std::size_t> slot = dispatcher_.slot_of(daemon);
  Cause cause = why;
  if (slot) cause.text = with_place(peer, *slot, why.text);
  if (slot) slots_.erase(*slot);
  daemons_.erase(daemon);
  act(peer_action::Log{"daemon " + std::to_string(daemon) + " is gone: " + in_full(cause)});
  bool worked = dispatcher_.has_worked(daemon);
  Sends sends = dispatcher_.on_daemon_left(now_, daemon, cause);
  carry_out(sends);
  set_busy(peer);
  // Where the slot has been given to another URL, the credential alone tells whose it was.
  tell_of_daemon(peer, settings_.one_url ? 0 : slot.value_or(SIZE_MAX), cause.kind);
  if (peer.pid) act(peer_action::LocalLeft{*peer.pid, cause, worked});
  act(peer_action::Changed{});
}

void PeerTable::drop_slot(Time now, std::size_t slot) {
  now_ = now;
  auto found = slots_.find(slot);
  if (found == slots_.end()) return;
  Member member = daemons_.at(found->second);
  Connected& peer = *member.peer;
  daemons_.erase(found->second);
  slots_.erase(found);
  peer.ranks.erase(member.rank);
  peer.to_kill.erase(member.rank);
  peer.silent.erase(member.rank);
  tell_of_daemon(peer, slot, Cause::Kind::goodbye);
  if (peer.role == Role::daemon) {
    signal_daemon(peer, SIGINT);
    return settle(peer, {Cause::Kind::goodbye, "was sent away"});
  }
  set_busy(peer);
  // One that is away is refused when it is back.
  refuse_rank(peer, member.rank, peer.instances[member.rank], "the slot has a new URL");
  give_up_if_empty(peer);
}

void PeerTable::close(bool stop) {
  for (const auto& [connection, peer] : connections_) {
    Frame goodbye(Type::bye);
    act(peer_action::Close{connection, std::move(goodbye.with_kind(stop ? ByeKind::end_all : ByeKind::end))});
  }
  for (const auto& [id, peer] : peers_) liveness_.remove(id);
  connections_.clear();
  deadlines_.clear();
  peers_.clear();
  daemons_.clear();
  slots_.clear();
}

}  // namespace tenkai
