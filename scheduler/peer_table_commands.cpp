// What the dispatcher has decided, as commands to the daemons.
#include <signal.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "scheduler/peer_table.h"

namespace tenkai {

// Where it is away, it is asked what it holds when it is back.
void PeerTable::say(const Connected& peer, Frame frame) {
  if (peer.from.connection != 0) act(peer_action::Say{peer.from.connection, std::move(frame)});
}

void PeerTable::obey(Time now, Sends sends) {
  now_ = now;
  carry_out(sends);
}

void PeerTable::carry_out(Sends& sends) {
  for (Send& send : sends) {
    std::visit([this](auto& what) { carry_out(what); }, send);
  }
}

void PeerTable::carry_out(Assign& assign) {
  const Member* member = find(assign.daemon);
  if (member == nullptr || member->peer->from.connection == 0) return;
  Frame frame(Type::task);
  frame.session = assign.key.session;
  frame.task = assign.key.task;
  frame.attempt = assign.attempt;
  frame.rank = member->rank;
  frame.payload = std::move(assign.payload);
  if (assign.kind != TaskKind::plain) frame.with_kind(assign.kind);
  if (assign.patience) frame.with(Key::timeout_ms, static_cast<std::uint64_t>(assign.patience->count()));
  if (!assign.label.empty()) frame.with(Key::label, assign.label);
  say(*member->peer, std::move(frame));
  set_busy(*member->peer);
}

void PeerTable::carry_out(Share& share) {
  const Member* member = find(share.daemon);
  if (member == nullptr || member->peer->from.connection == 0) return;
  Frame frame(Type::map);
  frame.session = share.map.session;
  frame.task = share.map.task;
  frame.rank = member->rank;
  frame.payload = std::move(share.payload);
  say(*member->peer, std::move(frame));
}

// One that has ended may have left its number to somebody else.
void PeerTable::signal_daemon(const Connected& peer, int number) {
  if (peer.pid && !peer.ended) act(peer_action::Signal{*peer.pid, number});
}

void PeerTable::carry_out(const Interrupt& interrupt) {
  const Member* member = find(interrupt.daemon);
  if (member == nullptr) return;
  Frame frame(Type::cancel);
  frame.session = interrupt.key.session;
  frame.task = interrupt.key.task;
  frame.attempt = interrupt.attempt;
  frame.rank = member->rank;
  say(*member->peer, std::move(frame));
  // After the frame: a daemon that has not begun the task finds it there.
  if (member->peer->role == Role::daemon) signal_daemon(*member->peer, SIGINT);
}

void PeerTable::carry_out(const HandBack& hand_back) {
  const Member* found = find(hand_back.daemon);
  if (found == nullptr) return;
  Member member = *found;
  end(member, CancelKind::kill_for_good);
  remove(*member.peer, member.rank, {Cause::Kind::time_limit, "had no time left in its job"});
  give_up_if_empty(*member.peer);
}

void PeerTable::carry_out(const Kill& kill) {
  const Member* member = find(kill.daemon);
  if (member != nullptr) end(*member, CancelKind::kill);
}

void PeerTable::end(const Member& member, CancelKind kind) {
  if (member.peer->role == Role::daemon) return signal_daemon(*member.peer, SIGKILL);
  if (member.peer->from.connection == 0) {
    member.peer->to_kill.insert(member.rank);
    return;
  }
  Frame frame(Type::cancel);
  frame.rank = member.rank;
  say(*member.peer, std::move(frame.with_kind(kind)));
}

void PeerTable::carry_out(const Acknowledge& acknowledge) {
  const Member* member = find(acknowledge.daemon);
  if (member == nullptr || member->peer->role != Role::agent) return;
  Frame frame(Type::ack);
  frame.rank = member->rank;
  say(*member->peer, std::move(frame));
}

void PeerTable::carry_out(const Dismiss& dismiss) {
  const Member* member = find(dismiss.daemon);
  if (member == nullptr || member->peer->from.connection == 0) return;
  // BYE is for all that is behind a connection; one rank of many is refused.
  auto [peer, rank] = *member;
  if (peer->role == Role::agent)
    return refuse_rank(*peer, rank, peer->instances[rank], "there is nothing more to do for it");
  peer->said_goodbye = true;
  say(*peer, Frame(Type::bye));
}

}  // namespace tenkai
