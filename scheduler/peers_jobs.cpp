// Agents that are in jobs of a batch system, which ends them and knows why.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/peers.h"

namespace tenkai {
namespace {

// How long the batch system may take to say why a job is being ended.
constexpr std::chrono::seconds wait_for_job{15};

Time now() { return std::chrono::steady_clock::now(); }

}  // namespace

// The agent has got a signal that is meant for its whole job. Why, only the batch
// system knows; its daemons get nothing new, and what they run waits for a moment to be
// given to others with the right cause.
void Peers::on_job_ends(const PeerPtr& peer, const Cause& cause) {
  // Why, is known already.
  if (peer->job_is_over) return settle(peer, *peer->job_ends);
  if (peer->job_ends) return;
  peer->job_ends = cause;
  for (const auto& [rank, daemon] : peer->ranks) {
    dependencies_.apply(dependencies_.dispatcher.on_daemon_leaving(now(), daemon));
  }
  ask_what_happened(*peer);
  after(wait_for_job, [this, peer] { settle(peer, *peer->job_ends); });
}

void Peers::ask_what_happened(const Connected& peer) {
  if (dependencies_.launcher == nullptr || !peer.admission || peer.ranks.empty()) return;
  auto slot = dependencies_.dispatcher.slot_of(peer.ranks.begin()->second);
  if (slot) dependencies_.launcher->on_away(peer.admission->grant, *slot);
}

std::vector<Peers::PeerPtr> Peers::peers_of_job(GrantId grant, const std::vector<std::size_t>& slots) const {
  std::vector<PeerPtr> found;
  for (const auto& [id, peer] : peers_) {
    bool of_job = peer->admission && peer->admission->grant == grant &&
                  std::any_of(peer->ranks.begin(), peer->ranks.end(), [&](const auto& member) {
                    auto slot = dependencies_.dispatcher.slot_of(member.second);
                    return slot && std::find(slots.begin(), slots.end(), *slot) != slots.end();
                  });
    if (of_job) found.push_back(peer);
  }
  return found;
}

void Peers::on_job_over(GrantId grant, const std::vector<std::size_t>& slots, const Cause& cause) {
  for (const PeerPtr& peer : peers_of_job(grant, slots)) {
    bool was_ending = std::exchange(peer->job_ends, cause).has_value();
    // One that still answers goes on: a node that Slurm has given up may only be cut off
    // from Slurm. When it goes, the reason is known.
    peer->job_is_over = true;
    if (was_ending || !peer->connection || liveness_.is_suspect(peer->id)) settle(peer, cause);
  }
}

void Peers::on_job_suspended(GrantId grant, const std::vector<std::size_t>& slots, bool is_suspended) {
  for (const PeerPtr& peer : peers_of_job(grant, slots)) {
    liveness_.set_suspended(now(), peer->id, is_suspended);
    std::optional<Time> heard = liveness_.last_heard(peer->id);
    if (!is_suspended || !heard || !liveness_.is_suspect(peer->id)) continue;
    for (const auto& [rank, daemon] : Ranks(peer->ranks))
      dependencies_.apply(dependencies_.dispatcher.on_daemon_stopped(now(), daemon, *heard));
  }
  dependencies_.apply({});  // the next timer may be another one
}

// "(job 123_0 on n2) was killed: OUT_OF_MEMORY"
std::string Peers::with_place(const Connected& peer, std::size_t slot, const std::string& text) const {
  if (dependencies_.launcher == nullptr || !peer.admission) return text;
  std::string place = dependencies_.launcher->place_of(peer.admission->grant, slot);
  return place.empty() ? text : "(" + place + ") " + text;
}

}  // namespace tenkai
