#include "scheduler/peer_table.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <variant>

#include "base/text.h"
#include "base/version.h"
#include "wire/greeting.h"

namespace tenkai {
namespace {

// Agents that have no daemons (yet), and whose credential any number may have.
constexpr std::size_t max_idle_agents = 256;

}  // namespace

PeerTable::PeerTable(Dispatcher& dispatcher, Grants& grants, const PeerQuestions& world, Settings settings)
    : dispatcher_(dispatcher),
      grants_(grants),
      world_(world),
      settings_(std::move(settings)),
      liveness_(settings_.limits) {}

bool PeerTable::take(PeerActions& into) {
  actions_.swap(into);
  return !into.empty();
}

const PeerTable::Member* PeerTable::find(DaemonId daemon) const {
  auto found = daemons_.find(daemon);
  return found == daemons_.end() ? nullptr : &found->second;
}

// --- coming in ---

void PeerTable::on_hello(Time now, Grants::WallTime wall, const Caller& caller, const Frame& hello,
                         const Proven* proven) {
  now_ = now;
  auto refuse = [&](std::string why) { act(peer_action::Refuse{caller.connection, std::move(why)}); };
  std::string mismatch = version_mismatch(hello, program_version);
  if (!mismatch.empty()) return refuse(mismatch);
  Role role = static_cast<Role>(hello.number(Key::role));
  if (role != Role::daemon && role != Role::agent) return refuse("only daemons and agents come in here");
  Admission admission;
  if (proven != nullptr) {
    grants_.forget_late(now);
    Result<Grants::Admission> admitted = grants_.admit(*proven, wall);
    if (!admitted) return refuse(admitted.error().message);
    admission = *admitted;
    if (admission->replaces) replace(*admission->replaces);
  }
  std::chrono::milliseconds round_trip(0);
  if (proven != nullptr) round_trip = proven->round_trip;
  role == Role::daemon ? welcome_daemon(caller, hello, admission)
                       : welcome_agent(caller, hello, admission, round_trip);
}

// A credential that is good any number of times must not leave a way back each time.
void PeerTable::turn_away(const Caller& caller, const Admission& admission, const std::string& why) {
  if (admission && !admission->is_back) grants_.forget(admission->resumption);
  act(peer_action::Refuse{caller.connection, why});
}

// The same rank of the same job has been started anew.
void PeerTable::replace(const CredentialId& resumption) {
  for (const auto& [id, known] : peers_) {
    if (!known->admission || known->admission->resumption != resumption) continue;
    return settle(*known, {Cause::Kind::lost, "was started anew elsewhere"});
  }
}

std::optional<std::size_t> PeerTable::own_slot(const std::string& url, const Caller& from,
                                               const Admission& admission, std::string& why_not) const {
  std::optional<std::size_t> slot = 0;
  if (!settings_.one_url) slot = world_.slot_of(url, from.port);
  if (!slot) {
    why_not = "no slot has the URL " + printable(url) + "; it may have been replaced by saisei()";
    return std::nullopt;
  }
  if (admission && !grants_.covers(admission->grant, *slot)) {
    why_not = "the credential it has is not for " + printable(url);
    return std::nullopt;
  }
  return slot;
}

std::optional<std::size_t> PeerTable::free_slot(const std::string& url, const Caller& from,
                                                const Admission& admission, std::string& why_not) {
  std::optional<std::size_t> slot = own_slot(url, from, admission, why_not);
  if (!slot || settings_.one_url) return slot;
  auto taken = slots_.find(*slot);
  if (taken == slots_.end()) return slot;
  Connected& there = *daemons_.at(taken->second).peer;
  // One that is dead, but whose exit status has not come yet, makes room.
  if (there.role == Role::daemon && !is_connected(there)) {
    settle(there, {Cause::Kind::lost, "closed its connection"});
    return slot;
  }
  why_not = "slot " + std::to_string(*slot + 1) + " (" + printable(url) + ") is taken by another daemon" +
            (there.pid ? ", pid " + std::to_string(*there.pid) : "");
  return std::nullopt;
}

void PeerTable::welcome_daemon(const Caller& caller, const Frame& hello, const Admission& admission) {
  std::string why_not;
  std::optional<std::size_t> slot = free_slot(hello.text(Key::url), caller, admission, why_not);
  if (!slot) return turn_away(caller, admission, why_not);
  Connected& peer = add(caller, Role::daemon, admission);
  peer.pid = caller.pid;
  if (peer.pid) act(peer_action::LocalJoined{*peer.pid});
  act(peer_action::Welcome{caller.connection, Frame(Type::welcome).with(Key::version, program_version)});
  DaemonId daemon = number(peer, 0);
  act(peer_action::Log{"daemon " + std::to_string(daemon) + " (" + caller.address + ") has joined"});
  seat(peer, daemon, *slot);
}

DaemonId PeerTable::number(Connected& peer, std::uint32_t rank) {
  DaemonId daemon = ++last_daemon_;
  peer.ranks[rank] = daemon;
  daemons_[daemon] = {&peer, rank};
  return daemon;
}

// A daemon that has been let in gets its place, and work.
void PeerTable::seat(const Connected& peer, DaemonId daemon, std::size_t slot,
                     std::optional<std::chrono::milliseconds> left, const Size& size) {
  Sends sends = dispatcher_.on_daemon_joined(now_, daemon, slot, left, size);
  carry_out(sends);
  if (auto at = dispatcher_.slot_of(daemon)) slots_[*at] = daemon;
  set_busy(peer);
  tell_of_daemon(peer, slot, std::nullopt);
  act(peer_action::Changed{});
}

// One that has a credential is known by the secret it got with it: what it says of
// itself could be said by another.
PeerTable::Connected* PeerTable::find_returned(const std::string& instance,
                                               const Admission& admission) const {
  for (const auto& [id, known] : peers_) {
    if (known->role != Role::agent || known->admission.has_value() != admission.has_value()) continue;
    bool same = admission ? admission->is_back && known->admission->resumption == admission->resumption
                          : !instance.empty() && known->instance == instance;
    if (same) return known.get();
  }
  return nullptr;
}

// The process of ours that it says it is: an agent that one of our local daemons has started
// for a URL of the network. One of another slot could say so, too, and have it killed when it
// goes itself; its credential is not for that slot.
std::optional<pid_t> PeerTable::own_process(const Frame& hello, const Admission& admission) const {
  if (!admission || hello.text(Key::host) != settings_.host) return std::nullopt;
  auto pid = static_cast<pid_t>(hello.number(Key::pid));
  std::optional<std::size_t> slot = world_.slot_of(pid);
  if (!slot || !grants_.covers(admission->grant, *slot)) return std::nullopt;
  auto is_it = [pid](const auto& each) { return each.second->pid == pid; };
  if (std::any_of(peers_.begin(), peers_.end(), is_it)) return std::nullopt;
  return pid;
}

void PeerTable::welcome_agent(const Caller& caller, const Frame& hello, const Admission& admission,
                              std::chrono::milliseconds round_trip) {
  std::string instance = hello.text(Key::instance);
  Connected* peer = find_returned(instance, admission);
  bool is_back = peer != nullptr;
  if (is_back) {
    // After a break, perhaps before we have noticed it.
    if (peer->from.connection != 0) drop(*peer, "replaced by a newer connection");
    set_suspect(*peer, true);
    for (const auto& [rank, daemon] : peer->ranks) peer->silent.insert(rank);
    connect(*peer, caller);
  } else {
    if (!has_room_for(admission))
      return turn_away(caller, admission, "too many agents are connected that have no daemons");
    std::optional<pid_t> pid = own_process(hello, admission);
    peer = &add(caller, Role::agent, admission);
    peer->instance = instance;
    peer->pid = pid;
  }
  act(peer_action::Log{"an agent at " + caller.address + (is_back ? " is back" : " has connected")});
  act(peer_action::Welcome{
      caller.connection,
      Frame(Type::welcome)
          .with(Key::version, program_version)
          .with(Key::grace_ms, static_cast<std::uint64_t>(settings_.limits.reconnect.count()))});
  // Each daemon is trusted again when it has said what it holds (JOIN): a task
  // sent before would be sent twice.
  if (is_back) liveness_.on_reconnected(now_, peer->id);
  liveness_.set_round_trip(peer->id, round_trip);
}

PeerTable::Connected& PeerTable::add(const Caller& caller, Role role, const Admission& admission) {
  auto added = std::make_unique<Connected>();
  Connected& peer = *added;
  peer.id = ++last_peer_;
  peer.role = role;
  peer.admission = admission;
  peers_[peer.id] = std::move(added);
  connect(peer, caller);
  if (role == Role::agent || caller.over_network) liveness_.add(peer.id, now_);
  return peer;
}

void PeerTable::connect(Connected& peer, const Caller& caller) {
  connections_[caller.connection] = &peer;
  peer.from = caller;
}

// Those with a credential for one are no more than were launched, and all of a large job
// may start at the same moment.
bool PeerTable::has_room_for(const Admission& admission) const {
  auto is_one_of_many = [](const Admission& each) { return !each || !each->is_alone; };
  if (!is_one_of_many(admission)) return true;
  auto idle = std::count_if(peers_.begin(), peers_.end(), [&](const auto& known) {
    const Connected& peer = *known.second;
    return peer.role == Role::agent && peer.ranks.empty() && is_one_of_many(peer.admission);
  });
  return static_cast<std::size_t>(idle) < max_idle_agents;
}

// --- time ---

std::optional<Time> PeerTable::next_timer() const {
  std::optional<Time> next = dispatcher_.next_timer();
  auto bring_forward = [&next](std::optional<Time> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  bring_forward(liveness_.next_timer());
  if (!deadlines_.empty()) bring_forward(deadlines_.begin()->first);
  return next;
}

void PeerTable::on_timer(Time now) {
  now_ = now;
  for (const Liveness::Judgement& judgement : liveness_.on_timer(now)) on_judgement(judgement);
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Connected& peer = *peers_.at(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    if (peer.job_ends) settle(peer, *peer.job_ends);
    else if (peer.ended || peer.said_goodbye) settle(peer, cause_of_end(peer));
    else settle(peer, {Cause::Kind::lost, "closed its connection"});
  }
  Sends sends = dispatcher_.on_timer(now);
  carry_out(sends);
}

void PeerTable::on_judgement(const Liveness::Judgement& judgement) {
  auto found = peers_.find(judgement.peer);
  if (found == peers_.end()) return;
  Connected& peer = *found->second;
  switch (judgement.verdict) {
    case Liveness::Verdict::probe: return say(peer, Frame(Type::ping));
    case Liveness::Verdict::suspect:
      set_suspect(peer, true);
      // Perhaps its node has failed, and somebody knows.
      return ask_what_happened(peer);
    case Liveness::Verdict::heard: return set_suspect(peer, false);
    case Liveness::Verdict::lost:
      if (peer.job_is_over) return settle(peer, *peer.job_ends);
      return give_up(peer, {Cause::Kind::lost, "was silent for too long, or cut off, and did not come back"});
  }
}

void PeerTable::set_busy(const Connected& peer) {
  if (liveness_.size() == 0 || peer.from.connection == 0) return;
  bool busy = std::any_of(peer.ranks.begin(), peer.ranks.end(),
                          [this](const auto& rank) { return dispatcher_.is_busy(rank.second); });
  if (liveness_.set_busy(now_, peer.id, busy)) say(peer, Frame(Type::ping));
}

void PeerTable::set_suspect(const Connected& peer, bool suspect) {
  for (const auto& [rank, daemon] : Ranks(peer.ranks)) {
    if (!suspect && peer.silent.count(rank) != 0) continue;
    Sends sends =
        suspect ? dispatcher_.on_daemon_suspect(now_, daemon) : dispatcher_.on_daemon_heard(now_, daemon);
    carry_out(sends);
  }
}

}  // namespace tenkai
