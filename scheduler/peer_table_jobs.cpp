// Agents that are in jobs of a batch system, which ends them and knows why.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/peer_table.h"

namespace tenkai {
namespace {

// How long the batch system may take to say why a job is being ended.
constexpr std::chrono::seconds wait_for_job{15};

}  // namespace

// The agent has got a signal that is meant for its whole job. Why, only the batch
// system knows; its daemons get nothing new, and what they run waits for a moment to be
// given to others with the right cause.
void PeerTable::on_job_ends(Connected& peer, const Cause& cause) {
  // Why, is known already.
  if (peer.job_is_over) return settle(peer, *peer.job_ends);
  if (peer.job_ends) return;
  peer.job_ends = cause;
  for (const auto& [rank, daemon] : Ranks(peer.ranks)) {
    Sends sends = dispatcher_.on_daemon_leaving(now_, daemon);
    carry_out(sends);
  }
  ask_what_happened(peer);
  settle_after(peer, wait_for_job);
}

void PeerTable::ask_what_happened(const Connected& peer) {
  if (!peer.admission || peer.ranks.empty()) return;
  auto slot = dispatcher_.slot_of(peer.ranks.begin()->second);
  if (slot) act(peer_action::Away{peer.admission->grant, *slot});
}

std::vector<PeerTable::Connected*> PeerTable::peers_of_job(GrantId grant,
                                                           const std::vector<std::size_t>& slots) const {
  std::vector<Connected*> found;
  for (const auto& [id, peer] : peers_) {
    bool of_job = peer->admission && peer->admission->grant == grant &&
                  std::any_of(peer->ranks.begin(), peer->ranks.end(), [&](const auto& member) {
                    auto slot = dispatcher_.slot_of(member.second);
                    return slot && std::find(slots.begin(), slots.end(), *slot) != slots.end();
                  });
    if (of_job) found.push_back(peer.get());
  }
  return found;
}

void PeerTable::on_job_over(Time now, GrantId grant, const std::vector<std::size_t>& slots,
                            const Cause& cause) {
  now_ = now;
  for (Connected* peer : peers_of_job(grant, slots)) {
    bool was_ending = std::exchange(peer->job_ends, cause).has_value();
    // One that still answers goes on: a node that Slurm has given up may only be cut off
    // from Slurm. When it goes, the reason is known.
    peer->job_is_over = true;
    if (was_ending || peer->from.connection == 0 || liveness_.is_suspect(peer->id)) settle(*peer, cause);
  }
}

void PeerTable::on_job_suspended(Time now, GrantId grant, const std::vector<std::size_t>& slots,
                                 bool is_suspended) {
  now_ = now;
  for (Connected* peer : peers_of_job(grant, slots)) {
    liveness_.set_suspended(now, peer->id, is_suspended);
    std::optional<Time> heard = liveness_.last_heard(peer->id);
    if (!is_suspended || !heard || !liveness_.is_suspect(peer->id)) continue;
    for (const auto& [rank, daemon] : Ranks(peer->ranks)) {
      Sends sends = dispatcher_.on_daemon_stopped(now, daemon, *heard);
      carry_out(sends);
    }
  }
}

// "(job 123_0 on n2) was killed: OUT_OF_MEMORY"
std::string PeerTable::with_place(const Connected& peer, std::size_t slot, const std::string& text) const {
  if (!peer.admission) return text;
  std::string place = world_.place_of(peer.admission->grant, slot);
  return place.empty() ? text : "(" + place + ") " + text;
}

}  // namespace tenkai
