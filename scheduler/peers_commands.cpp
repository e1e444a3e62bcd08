// Peers, continued: what the dispatcher has decided, as commands to the daemons; and the watch on
// those that fall silent.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "scheduler/peers.h"

namespace tenkai {
namespace {

Time now() { return std::chrono::steady_clock::now(); }

}  // namespace

void Peers::assign(const Assign& assign) {
  const Member* member = find(assign.daemon);
  if (member == nullptr || !member->peer->connection)
    return;  // away: it is asked what it holds when it is back
  Frame frame(Type::task);
  frame.session = assign.key.session;
  frame.task = assign.key.task;
  frame.attempt = assign.attempt;
  frame.rank = member->rank;
  frame.payload = assign.payload;
  if (assign.everywhere) frame.with_kind(TaskKind::everywhere);
  if (!assign.label.empty()) frame.with(Key::label, assign.label);
  member->peer->connection->send(std::move(frame));
  set_busy(member->peer);
}

// To the group of a process of ours, so that what the task has started ends with
// it; another's group may hold more than the daemon. One that has ended may have
// left its number to somebody else.
void Peers::signal_daemon(const Connected& peer, int number) {
  if (!peer.pid || peer.ended) return;
  if (dependencies_.processes.holds(*peer.pid)) {
    signal_group(*peer.pid, number);
  } else {
    ::kill(*peer.pid, number);
  }
}

void Peers::interrupt(DaemonId daemon, const TaskKey& key, std::uint32_t attempt) {
  const Member* member = find(daemon);
  if (member == nullptr || !member->peer->connection) return;
  Frame frame(Type::cancel);
  frame.session = key.session;
  frame.task = key.task;
  frame.attempt = attempt;
  frame.rank = member->rank;
  member->peer->connection->send(std::move(frame));
  // After the frame: a daemon that has not begun the task finds it there.
  if (member->peer->role == Role::daemon) signal_daemon(*member->peer, SIGINT);
}

void Peers::hand_back(DaemonId daemon) {
  const Member* member = find(daemon);
  if (member == nullptr) return;
  auto [peer, rank] = *member;
  end(*member, CancelKind::kill_for_good);
  remove(peer, rank, {Cause::Kind::time_limit, "had no time left in its job"});
}

void Peers::kill(DaemonId daemon) {
  const Member* member = find(daemon);
  if (member != nullptr) end(*member, CancelKind::kill);
}

void Peers::end(const Member& member, CancelKind kind) {
  if (!member.peer->connection) {
    member.peer->to_kill.insert(member.rank);
    return;
  }
  if (member.peer->role == Role::daemon) return signal_daemon(*member.peer, SIGKILL);
  Frame frame(Type::cancel);
  frame.rank = member.rank;
  member.peer->connection->send(std::move(frame.with_kind(kind)));
}

void Peers::acknowledge(DaemonId daemon) {
  const Member* member = find(daemon);
  if (member == nullptr || !member->peer->connection || member->peer->role != Role::agent) return;
  Frame frame(Type::ack);
  frame.rank = member->rank;
  member->peer->connection->send(std::move(frame));
}

void Peers::dismiss(DaemonId daemon) {
  const Member* member = find(daemon);
  if (member == nullptr || !member->peer->connection) return;
  // BYE is for all that is behind a connection; one rank of many is refused.
  const auto& [peer, rank] = *member;
  if (peer->role == Role::agent)
    return refuse_rank(*peer, rank, peer->instances[rank], "there is nothing more to do for it");
  peer->said_goodbye = true;
  peer->connection->send(Frame(Type::bye));
}

// --- silence ---

void Peers::set_busy(const PeerPtr& peer) {
  if (liveness_.size() == 0 || !peer->connection) return;
  bool busy = std::any_of(peer->ranks.begin(), peer->ranks.end(),
                          [this](const auto& rank) { return dependencies_.dispatcher.is_busy(rank.second); });
  if (liveness_.set_busy(now(), peer->id, busy)) peer->connection->send(Frame(Type::ping));
}

void Peers::set_suspect(const PeerPtr& peer, bool suspect) {
  for (const auto& [rank, daemon] : Ranks(peer->ranks)) {
    dependencies_.apply(suspect ? dependencies_.dispatcher.on_daemon_suspect(now(), daemon)
                                : dependencies_.dispatcher.on_daemon_heard(now(), daemon));
  }
}

void Peers::on_timer(Time at) {
  for (const Liveness::Judgement& judgement : liveness_.on_timer(at)) on_judgement(judgement);
}

void Peers::on_judgement(const Liveness::Judgement& judgement) {
  auto found = peers_.find(judgement.peer);
  if (found == peers_.end()) return;
  PeerPtr peer = found->second;
  switch (judgement.verdict) {
    case Liveness::Verdict::probe:
      if (peer->connection) peer->connection->send(Frame(Type::ping));
      return;
    case Liveness::Verdict::suspect:
      set_suspect(peer, true);
      // Perhaps its node has failed, and somebody knows.
      return ask_what_happened(*peer);
    case Liveness::Verdict::heard: return set_suspect(peer, false);
    case Liveness::Verdict::lost:
      if (peer->job_is_over) return settle(peer, Cause(*peer->job_ends));
      return give_up(peer, {Cause::Kind::lost, "was silent for too long, or cut off, and did not come back"});
  }
}

}  // namespace tenkai
