#include "scheduler/liveness.h"

#include <algorithm>

namespace tenkai {
namespace {

using std::chrono::milliseconds;

Liveness::Limits put_in_order(Liveness::Limits limits) {
  constexpr milliseconds least(1);
  constexpr milliseconds most = std::chrono::hours(24 * 365 * 100);
  limits.reconnect = std::clamp(limits.reconnect, least, most);
  limits.suspect = std::clamp(limits.suspect, least, limits.reconnect);
  limits.probe = std::clamp(limits.probe, least, std::max(least, limits.suspect / 4));
  limits.eof_grace = std::clamp(limits.eof_grace, milliseconds(0), limits.reconnect);
  return limits;
}

}  // namespace

Liveness::Liveness(Limits limits) : limits_(put_in_order(limits)) {}

void Liveness::add(PeerId id, Time now) {
  remove(id);
  Peer& peer = peers_[id];
  peer.heard = peer.sign = peer.last_probe = now;
}

void Liveness::set_round_trip(PeerId id, milliseconds round_trip) {
  if (Peer* peer = find(id); peer != nullptr) peer->round_trip = std::max(round_trip, milliseconds(0));
}

void Liveness::remove(PeerId id) {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  if (peer->due) timers_.erase({*peer->due, id});
  peers_.erase(id);
}

// The timer of the peer stays where it is: it is set right when it fires, at most
// once per `probe`, instead of at each read.
std::optional<Liveness::Verdict> Liveness::on_heard(Time now, PeerId id) {
  Peer* peer = find(id);
  if (peer == nullptr) return std::nullopt;
  peer->heard = peer->sign = now;
  peer->suspended = false;
  if (!peer->suspect || !peer->connected) return std::nullopt;
  peer->suspect = false;
  schedule(id, *peer);
  return Verdict::heard;
}

std::optional<Liveness::Verdict> Liveness::set_busy(Time now, PeerId id, bool busy) {
  Peer* peer = find(id);
  if (peer == nullptr || peer->busy == busy) return std::nullopt;
  peer->busy = busy;
  bool begins = busy && !peer->suspect;
  bool was_silent = begins && now - peer->heard >= limits_.probe;
  if (begins) peer->sign = std::max(peer->sign, now);
  if (was_silent) peer->last_probe = now;
  schedule(id, *peer);
  if (!was_silent) return std::nullopt;
  return Verdict::probe;
}

void Liveness::set_suspended(Time now, PeerId id, bool suspended) {
  Peer* peer = find(id);
  if (peer == nullptr || !peer->suspect || peer->suspended == suspended) return;
  peer->suspended = suspended;
  // It had no chance to be heard in the meantime.
  peer->sign = peer->last_probe = now;
  if (!peer->connected) peer->lost_at = now + limits_.reconnect;
  schedule(id, *peer);
}

std::optional<Liveness::Verdict> Liveness::on_disconnected(Time now, PeerId id, bool end_of_file) {
  Peer* peer = find(id);
  if (peer == nullptr || !peer->connected) return std::nullopt;
  bool silent = peer->busy || peer->suspect;
  // Nobody expected to hear from an idle peer, so its clock starts now.
  Time since = silent ? peer->sign : now;
  auto grace = std::min(limits_.reconnect, limits_.eof_grace + limits_.round_trips * peer->round_trip);
  peer->lost_at = end_of_file ? now + grace : std::max(now, since + limits_.reconnect);
  peer->connected = false;
  // What closes a connection is not stopped, or was killed.
  peer->suspended = peer->suspended && !end_of_file;
  bool was_suspect = std::exchange(peer->suspect, true);
  schedule(id, *peer);
  if (was_suspect) return std::nullopt;
  return Verdict::suspect;
}

std::optional<Liveness::Verdict> Liveness::on_reconnected(Time now, PeerId id) {
  Peer* peer = find(id);
  if (peer == nullptr) return std::nullopt;
  peer->connected = true;
  peer->suspended = false;
  peer->heard = peer->sign = peer->last_probe = now;
  bool was_suspect = std::exchange(peer->suspect, false);
  schedule(id, *peer);
  if (!was_suspect) return std::nullopt;
  return Verdict::heard;
}

std::optional<Liveness::Time> Liveness::next_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

std::vector<Liveness::Judgement> Liveness::on_timer(Time now) {
  std::vector<Judgement> judgements;
  if (timers_.empty()) return judgements;
  if (now - timers_.begin()->first > limits_.probe) forgive(now, now - timers_.begin()->first);
  while (!timers_.empty() && timers_.begin()->first <= now) {
    PeerId id = timers_.begin()->second;
    Peer& peer = *find(id);
    std::optional<Verdict> verdict = judge(now, peer);
    if (verdict) judgements.push_back({id, *verdict});
    if (verdict == Verdict::lost) {
      remove(id);
    } else {
      schedule(id, peer);
    }
  }
  return judgements;
}

bool Liveness::is_suspect(PeerId id) const {
  auto found = peers_.find(id);
  return found != peers_.end() && found->second.suspect;
}

std::optional<Liveness::Time> Liveness::last_heard(PeerId id) const {
  auto found = peers_.find(id);
  if (found == peers_.end()) return std::nullopt;
  return found->second.heard;
}

Liveness::Peer* Liveness::find(PeerId id) {
  auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

Liveness::Time Liveness::probe_due(const Peer& peer) const {
  return std::max(peer.sign, peer.last_probe) + limits_.probe;
}

std::optional<Liveness::Time> Liveness::due_of(const Peer& peer) const {
  if (peer.suspended && !peer.connected) return std::nullopt;
  // What it is sent stays in its connection until it goes on: not much.
  if (peer.suspended) return peer.last_probe + limits_.reconnect;
  if (!peer.connected) return peer.lost_at;
  if (peer.suspect) return std::min(probe_due(peer), peer.sign + limits_.reconnect);
  if (peer.busy) return std::min(probe_due(peer), peer.sign + limits_.suspect);
  return std::nullopt;
}

void Liveness::schedule(PeerId id, Peer& peer) {
  std::optional<Time> due = due_of(peer);
  if (due == peer.due) return;
  if (peer.due) timers_.erase({*peer.due, id});
  if (due) timers_.emplace(*due, id);
  peer.due = due;
}

// One step at a time: schedule() then brings up the next. Nothing, when the peer
// has been heard since its timer was set.
std::optional<Liveness::Verdict> Liveness::judge(Time now, Peer& peer) const {
  if (peer.suspended) {
    if (!peer.connected || now < peer.last_probe + limits_.reconnect) return std::nullopt;
    peer.last_probe = now;
    return Verdict::probe;
  }
  if (!peer.connected) {
    if (now < peer.lost_at) return std::nullopt;
    return Verdict::lost;
  }
  if (peer.suspect && now >= peer.sign + limits_.reconnect) return Verdict::lost;
  if (!peer.suspect && now >= peer.sign + limits_.suspect) {
    peer.suspect = true;
    return Verdict::suspect;
  }
  if (now < probe_due(peer)) return std::nullopt;
  peer.last_probe = now;
  return Verdict::probe;
}

// What was noted after we woke up needs no correction, hence the bounds.
void Liveness::forgive(Time now, std::chrono::steady_clock::duration sleep) {
  timers_.clear();
  for (auto& [id, peer] : peers_) {
    peer.sign = std::min(peer.sign + sleep, now);
    peer.last_probe = std::min(peer.last_probe + sleep, now);
    peer.lost_at = std::min(peer.lost_at + sleep, now + limits_.reconnect);
    peer.due.reset();
    schedule(id, peer);
  }
}

}  // namespace tenkai
