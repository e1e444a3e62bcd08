// What a table of peers promises: whether what it asks for is right in the world around it.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/version.h"
#include "tests/scheduler/peer_simulator.h"

namespace tenkai::tests {

using namespace std::chrono_literals;

// --- what the table asks ---

bool PeerSimulation::is_open(ConnectionId connection) const {
  auto found = links_.find(connection);
  return found != links_.end() && !found->second.is_let_go && !found->second.is_told;
}

std::optional<std::size_t> PeerSimulation::slot_of(const std::string& url, std::uint16_t) const {
  auto found = std::find(urls_.begin(), urls_.end(), url);
  if (found == urls_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - urls_.begin());
}

std::optional<std::size_t> PeerSimulation::slot_of(pid_t pid) const {
  for (const auto& local : locals_) {
    if (local->r.pid == pid && local->is_placed) return local->slot;
  }
  return std::nullopt;
}

PeerSimulation::Local* PeerSimulation::local_of(pid_t pid) {
  auto found =
      std::find_if(locals_.begin(), locals_.end(), [pid](const auto& each) { return each->r.pid == pid; });
  return found == locals_.end() ? nullptr : found->get();
}

// --- connections ---

void PeerSimulation::answer_dial(Agent& agent) {
  agent.dials = false;
  if (phase_ == Phase::storm && chance(20)) {
    Code code = chance(50) ? Code::refused : Code::timed_out;
    return carry_out(agent, agent.core->on_dial_failed(now_, with_code(code, "nobody is there")));
  }
  agent.link = ++last_link_;
  links_[agent.link].agent = &agent;
  note(agent.instance + " has connection " + std::to_string(agent.link));
  carry_out(agent, agent.core->on_connected(now_));
}

void PeerSimulation::go_up(ConnectionId id, Link& link, Frame frame) {
  if (!link.is_known) return greet(id, link, frame);
  auto seen = tasks_.find(frame.task);
  if (flaw_.hears && !flaw_.hears(frame, seen == tasks_.end() ? 0 : seen->second.attempt)) return;
  if (tells_)
    note("from " + std::to_string(id) + ": type " + std::to_string(static_cast<int>(frame.type)) + ", task " +
         std::to_string(frame.task) + ", rank " + std::to_string(frame.rank));
  if (frame.type == Type::join || link.local != nullptr) link.ranks.insert(frame.rank);
  bool is_end = frame.type == Type::left && frame.kind<LeftKind>() <= LeftKind::goodbye;
  if (is_end) link.ranks.erase(frame.rank);
  table_.on_frame(now_, id, std::move(frame));
  act();
}

// What Greeting does before anybody is known.
void PeerSimulation::greet(ConnectionId id, Link& link, const Frame& frame) {
  if (has_closed_) return let_go(id);
  Frame hello(Type::hello);
  hello.with(Key::version, program_version);
  Caller caller{id, "connection " + std::to_string(id), std::nullopt, false, 0};
  if (link.local != nullptr) {
    caller.pid = link.local->r.pid;
    hello.with(Key::role, static_cast<std::uint64_t>(Role::daemon)).with(Key::url, frame.text(Key::url));
    table_.on_hello(now_, {}, caller, hello, nullptr);
    return act();
  }
  Agent& agent = *link.agent;
  caller.over_network = agent.rules.over_network;
  Proven proven;
  proven.id = agent.resumes ? *agent.resumption : agent.credential;
  std::optional<Secret> token;
  if (caller.over_network) token = grants_.token_of(proven.id, 0);
  if (caller.over_network && frame.type == Type::hello)
    return link.down.push_back(Frame(Type::challenge).with(Key::code, token ? 1 : 0));
  hello.with(Key::role, static_cast<std::uint64_t>(Role::agent)).with(Key::instance, agent.instance);
  if (!caller.over_network) {
    table_.on_hello(now_, {}, caller, hello, nullptr);
  } else if (token) {
    proven.resumption.id = *agent.resumption;
    table_.on_hello(now_, {}, caller, hello, &proven);
  } else {
    let_go(id);
  }
  act();
  // What it says now may take long.
  if (phase_ == Phase::storm && chance(2)) pass_time(std::chrono::milliseconds(below(9500)));
}

void PeerSimulation::go_down(Link& link, Frame frame) {
  if (link.local != nullptr) return hear(link.local->r, frame);
  std::vector<R>& rs = link.agent->rs;
  const R* killed = nullptr;
  if (frame.type == Type::cancel && frame.kind<CancelKind>() == CancelKind::kill) killed = &rs[frame.rank];
  bool is_needed = killed != nullptr && killed->task && (killed->task->task & everywhere_bit) == 0 &&
                   !tasks_.at(killed->task->task).is_resolved;
  carry_out(*link.agent, link.agent->core->on_frame(now_, std::move(frame)));
  if (is_needed && killed->has_died) complain("a daemon was killed that did what it should");
}

void PeerSimulation::hear(R& r, const Frame& frame) {
  if (r.has_died) return;
  if (frame.type == Type::refused || frame.type == Type::bye) r.leaves = true;
  if (frame.type == Type::cancel && r.task && r.task->task == frame.task) r.cancelled = true;
  if (frame.type != Type::task) return;
  if (r.task) complain("an R that is at work was given another task");
  r.task = frame;
  r.cancelled = false;
}

// --- what the cores of agents ask for ---

void PeerSimulation::carry_out(Agent& agent, Actions actions) {
  for (Action& action : actions) std::visit([&](auto& what) { take(agent, what); }, action);
}

void PeerSimulation::take(Agent& agent, action::Greet& greet) {
  agent.resumes = greet.resume && agent.resumption;
  if (!agent.resumes) agent.resumption.reset();
  links_.at(agent.link).up.emplace_back(Type::hello);
}

void PeerSimulation::take(Agent& agent, action::Prove& prove) {
  if (prove.challenge.number(Key::code) != 1)
    return carry_out(agent, agent.core->on_not_proven(now_, "it has another credential"));
  if (!agent.resumption) ways_back_.push_back(*(agent.resumption = fresh_id()));
  Link& link = links_.at(agent.link);
  if (!link.up_ends) link.up.emplace_back(Type::proof);
  carry_out(agent, agent.core->on_proven(now_));
}

void PeerSimulation::take(Agent& agent, action::Tell& tell) {
  Link& link = links_.at(agent.link);
  if (tell.frame.type == Type::join && agent.job_end) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*agent.job_end - now_);
    tell.frame.with(Key::time_left_ms, static_cast<std::uint64_t>(std::max(left.count(), std::int64_t{0})));
  }
  if (!link.up_ends) link.up.push_back(std::move(tell.frame));
}

void PeerSimulation::take(Agent& agent, action::HangUp&) {
  Link& link = links_.at(agent.link);
  link.down.clear();
  link.up_ends = link.down_ends = true;
}

void PeerSimulation::take(Agent& agent, action::Start& start) {
  R& r = agent.rs[start.rank] = R();
  r.pid = ++last_pid_;
  r.instance = "R " + std::to_string(r.pid);
  carry_out(agent, agent.core->on_started(now_, start.rank, r.pid));
}

void PeerSimulation::take(Agent& agent, action::Interrupt& interrupt) {
  for (R& r : agent.rs) {
    if (r.pid == interrupt.pid && r.task && chance(80)) finish(r, r.says, true);
  }
}

void PeerSimulation::take(Agent& agent, action::Kill& kill) {
  for (R& r : agent.rs) {
    if (r.pid == kill.pid) die(r, SIGKILL);
  }
}

// --- what the table asks for ---

void PeerSimulation::act() {
  while (table_.take(batch_)) {
    if (flaw_.does) flaw_.does(batch_);
    for (PeerAction& action : batch_) std::visit([this](auto& what) { take(what); }, action);
    batch_.clear();
  }
  std::uint64_t assigned = 0;
  for (const Slot& slot : dispatcher_.slots()) assigned += slot.assigned;
  if (assigned != sent_) complain("a task was given to a daemon that cannot hear it");
  if (table_.online() != dispatcher_.online() && phase_ != Phase::farewell)
    complain("the table and the dispatcher know different daemons");
}

void PeerSimulation::take(peer_action::Welcome& welcome) {
  if (links_.at(welcome.to).is_known) complain("somebody is welcomed twice");
  links_.at(welcome.to).is_known = true;
  say_down(welcome.to, std::move(welcome.frame));
}

void PeerSimulation::take(peer_action::Refuse& refuse) {
  note("connection " + std::to_string(refuse.to) + " is refused: " + refuse.why);
  say_down(refuse.to, Frame(Type::refused).with(Key::message, refuse.why));
  let_go(refuse.to);
}

void PeerSimulation::take(peer_action::Say& say) {
  const Frame& frame = say.frame;
  if (tells_)
    note("  to " + std::to_string(say.to) + ": type " + std::to_string(static_cast<int>(frame.type)) +
         ", task " + std::to_string(frame.task) + ", rank " + std::to_string(frame.rank));
  auto found = links_.find(say.to);
  if (found == links_.end()) return complain("a connection was used that is gone");
  Link& link = found->second;
  if (!link.is_known) complain("a stranger was told something");
  if (frame.type == Type::task && link.local != nullptr && link.local->is_told)
    complain("a task was given to a process that has ended");
  if (frame.type == Type::task) check_sent(frame);
  if (frame.type == Type::welcome)
    std::erase_if(link.stopped, [&](const auto& each) { return each.first == frame.rank; });
  if (frame.type == Type::task) link.stopped.erase({frame.rank, frame.task});
  if (frame.type == Type::cancel || frame.type == Type::refused)
    link.stopped.insert({frame.rank, frame.task});
  say_down(say.to, std::move(say.frame));
}

void PeerSimulation::check_sent(const Frame& task) {
  if ((task.task & everywhere_bit) != 0) return;
  ++sent_;
  TaskSeen& seen = tasks_.at(task.task);
  if (task.attempt <= seen.attempt) complain("an attempt was sent twice");
  if (seen.is_resolved) complain("a task was sent that has been resolved");
  seen.attempt = task.attempt;
  auto runs = [&](const Link& link, std::uint32_t rank, const R& r) {
    return r.task && r.task->task == task.task && link.ranks.count(rank) != 0 &&
           link.stopped.count({rank, task.task}) == 0 && link.stopped.count({rank, 0}) == 0;
  };
  for (const auto& [id, link] : links_) {
    if (link.is_let_go || link.is_told || link.is_left) continue;
    bool is_run = link.local != nullptr && runs(link, 0, link.local->r);
    for (std::uint32_t rank = 0; link.agent != nullptr && rank < link.agent->rs.size(); ++rank)
      is_run = is_run || runs(link, rank, link.agent->rs[rank]);
    if (is_run) complain("a task was handed on while a daemon runs it that is believed in");
  }
}

void PeerSimulation::say_down(ConnectionId to, Frame frame) {
  auto found = links_.find(to);
  if (found == links_.end() || found->second.is_let_go || found->second.is_told)
    return complain("a connection was used that is gone");
  if (!found->second.down_ends) found->second.down.push_back(std::move(frame));
}

void PeerSimulation::let_go(ConnectionId to) {
  Link& link = links_.at(to);
  if (link.is_let_go) complain("a connection was let go twice");
  link.is_let_go = link.down_ends = true;
  link.up.clear();
}

void PeerSimulation::take(peer_action::Drop& drop) {
  note("connection " + std::to_string(drop.to) + " is dropped: " + drop.why);
  if (!is_open(drop.to)) return complain("a connection was dropped that is gone");
  let_go(drop.to);
}

void PeerSimulation::take(peer_action::Close& close) {
  say_down(close.to, std::move(close.frame));
  let_go(close.to);
}

void PeerSimulation::take(peer_action::Signal& signal) {
  Local* local = local_of(signal.pid);
  if (local == nullptr || local->is_told) return complain("a process was sent a signal that has ended");
  R& r = local->r;
  if (r.has_died) return;
  if (signal.number == SIGKILL) return die(r, SIGKILL);
  // The CANCEL went out before the signal.
  auto link = links_.find(local->link);
  if (link == links_.end() || !r.task) return;
  const std::deque<Frame>& down = link->second.down;
  bool is_meant = r.cancelled || std::any_of(down.begin(), down.end(), [&](const Frame& frame) {
                    return frame.type == Type::cancel && frame.task == r.task->task;
                  });
  if (is_meant && chance(80)) finish(r, link->second.up, true);
}

void PeerSimulation::take(peer_action::LocalJoined& joined) {
  if (Local* local = local_of(joined.pid)) local->has_joined = true;
}

void PeerSimulation::take(peer_action::LocalLeft& left) {
  Local* local = local_of(left.pid);
  if (local == nullptr || !std::exchange(local->is_placed, false)) return;
  // It may live on without its stream.
  if (left.cause.kind == Cause::Kind::lost) die(local->r, SIGKILL);
}

void PeerSimulation::take(peer_action::Joined& joined) {
  if (++joined_[{joined.grant, joined.slot}] > 1 && !one_url_)
    complain("the launcher was told twice that a daemon has come");
}

void PeerSimulation::take(peer_action::Left& left) {
  if (left.slot != SIZE_MAX && --joined_[{left.grant, left.slot}] < 0)
    complain("the launcher was told that a daemon has gone that never came");
}

void PeerSimulation::take(Resolve& resolve) {
  TaskSeen& seen = tasks_.at(resolve.key.task);
  if (std::exchange(seen.is_resolved, true)) complain("a task was resolved twice");
  if (resolve.code != Code::none) return;
  if (view_of(resolve.payload) != std::to_string(resolve.key.task) + "#" + std::to_string(seen.attempt))
    complain("an answer was taken of an attempt that was given up");
  if (resolve.failed) complain("a task failed that nobody cancelled");
}

// Everybody has gone, and time has passed.
void PeerSimulation::check_left_behind() {
  auto is_open = [](const auto& each) { return !each.second.is_resolved; };
  if (std::any_of(tasks_.begin(), tasks_.end(), is_open)) complain("a task was not resolved");
  if (table_.size() != 0) complain("a peer is left behind");
  if (table_.online() != 0) complain("a daemon is left behind");
  if (table_.next_timer()) complain("a timer is left behind");
  if (has_closed_) return;
  grants_.forget_late(now_ + 1h);
  for (const CredentialId& way : ways_back_) {
    if (grants_.token_of(way, 0)) return complain("a way back is left behind");
  }
  for (const auto& [which, count] : joined_) {
    if (count != 0) complain("the launcher was not told that a daemon has gone");
  }
  for (const auto& local : locals_) {
    if (local->is_placed) complain("the place of a process is left behind");
  }
}

}  // namespace tenkai::tests
