#include "agent/agent_core.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "base/version.h"

namespace tenkai {
namespace {

using State = Rank::State;
using Link = DispatcherLink::State;

constexpr std::size_t of_link = SIZE_MAX;
constexpr std::size_t of_end = SIZE_MAX - 1;

constexpr std::chrono::seconds time_to_answer{10};
constexpr std::chrono::seconds time_to_end{5};
}  // namespace

AgentCore::AgentCore(AgentRules rules, Time now)
    : rules_(std::move(rules)), link_(now, rules_.seed), ranks_(rules_.urls.size()) {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    ranks_[i].number = static_cast<std::uint32_t>(i);
    ranks_[i].url = rules_.urls[i];
  }
}

Actions AgentCore::on_start(std::optional<Adopted> adopted) {
  adopted_ = adopted;
  if (adopted) {
    ranks_.front().pid = adopted->pid;
    ranks_.front().hears = true;
    ranks_.front().state = State::starting;
  }
  on_link_alarm();
  return take();
}

// --- time ---

void AgentCore::set_alarm(std::size_t whose, Time at) {
  clear_alarm(whose);
  alarms_.push_back({at, whose});
}

void AgentCore::clear_alarm(std::size_t whose) {
  std::erase_if(alarms_, [whose](const Alarm& alarm) { return alarm.whose == whose; });
}

bool AgentCore::has_alarm(std::size_t whose) const {
  return std::any_of(alarms_.begin(), alarms_.end(),
                     [whose](const Alarm& alarm) { return alarm.whose == whose; });
}

std::optional<AgentCore::Time> AgentCore::next_timer() const {
  std::optional<Time> next;
  for (const Alarm& alarm : alarms_) next = next ? std::min(*next, alarm.at) : alarm.at;
  return next;
}

// One at a time: what is done for the first may make the next one needless.
Actions AgentCore::on_timer(Time now) {
  auto first = std::min_element(alarms_.begin(), alarms_.end(),
                                [](const Alarm& one, const Alarm& other) { return one.at < other.at; });
  if (first == alarms_.end() || first->at > now) return {};
  std::size_t whose = first->whose;
  alarms_.erase(first);
  on_alarm(now, whose);
  return take();
}

void AgentCore::on_alarm(Time now, std::size_t whose) {
  if (whose == of_link) return on_link_alarm();
  if (whose == of_end) return insist();
  Rank& rank = ranks_[whose];
  if (rank.ended) return settle(now, rank);
  if (rank.state == State::paused) return start(rank);
  if (adopted_) return leave_adopted(now, rank);
  end_deaf(rank);
}

// --- the dispatcher ---

void AgentCore::on_link_alarm() {
  if (link_.state == Link::down) {
    link_.state = Link::dialling;
    return act(action::Dial{});
  }
  // A tunnel with a dead end, or a stopped dispatcher, takes the call and says nothing.
  hang_up(text_of(Code::timed_out) + ": connected to " + rules_.urls.front() + ", but no WELCOME came",
          Code::timed_out);
}

Actions AgentCore::on_dial_failed(Time now, const Error& why) {
  if (!is_ending()) dial_again(now, why);
  return take();
}

Actions AgentCore::on_connected(Time now) {
  link_.state = rules_.over_network ? Link::claimed : Link::proven;
  if (is_ending()) {
    hang_up("the agent ends");
  } else if (rules_.over_network && rules_.proof == AgentRules::Proof::none) {
    give_up(now, text_of(Code::permission_denied) + ": a daemon that comes over the network to " +
                     rules_.urls.front() +
                     " needs a credential; launch_remote() on the host makes a command that has one");
  } else {
    act(action::Greet{may_resume_});
    set_alarm(of_link, now + time_to_answer);
  }
  return take();
}

Actions AgentCore::on_proven(Time now) {
  // Only now is it known to be the dispatcher.
  link_.state = Link::proven;
  may_resume_ = true;
  set_alarm(of_link, now + time_to_answer);
  return take();
}

Actions AgentCore::on_not_proven(Time now, const std::string& why) {
  if (may_resume_ && (!link_.was_welcomed() || rules_.proof == AgentRules::Proof::reusable)) {
    // It never heard our first proof, or it is another dispatcher with the same
    // credential: it does not know how we would come back.
    may_resume_ = false;
    hang_up("the way back is not known there");
  } else {
    on_turned_away(now, rules_.urls.front() + ": " + why);
  }
  return take();
}

Actions AgentCore::on_disconnected(Time now, const Error& why) {
  link_.state = Link::down;
  if (is_ending()) return take();
  act(action::Warn{"the connection to " + rules_.urls.front() + " is gone: " + why.message});
  bool is_told = link_.was_welcomed() || why.code != Code::none;
  dial_again(now, is_told ? why
                          : with_code(Code::reset, rules_.urls.front() + " hung up before it said WELCOME (" +
                                                       why.message + ")"));
  return take();
}

void AgentCore::dial_again(Time now, const Error& why) {
  std::optional<std::chrono::milliseconds> pause = link_.on_lost(now, why.code, stays());
  if (!pause) return give_up(now, why.message);
  set_alarm(of_link, now + *pause);
}

void AgentCore::on_turned_away(Time now, const std::string& why) {
  if (link_.on_turned_away(now) || !rules_.over_network) return give_up(now, why);
  hang_up(why);
}

void AgentCore::hang_up(const std::string& why, Code code) {
  if (link_.state < Link::claimed || link_.state == Link::closing) return;
  link_.state = Link::closing;
  act(action::HangUp{why, code});
}

// There is no dispatcher, or it does not want us: the daemons learn why.
void AgentCore::give_up(Time now, const std::string& why) {
  hang_up(why);
  for (Rank& rank : ranks_) {
    if (rank.is_outside()) pass(rank, Frame(Type::refused).with(Key::message, why));
  }
  exit_code_ = 1;
  complain(why);
  end(now, Life::ending, rules_.autoexit != Autoexit::finish);
}

Actions AgentCore::on_failed(Time now, const std::string& why) {
  give_up(now, why);
  return take();
}

// Where R was there before us, it is the one that tells.
void AgentCore::complain(const std::string& why) { act(action::Complain{why, !adopted_}); }

void AgentCore::tell(Frame frame) {
  if (link_.is_welcomed()) act(action::Tell{std::move(frame)});
}

void AgentCore::pass(const Rank& rank, Frame frame) {
  if (rank.hears) act(action::Pass{rank.number, std::move(frame)});
}

Actions AgentCore::on_frame(Time now, Frame&& frame) {
  bool must_prove = link_.state == Link::claimed;
  if (link_.state == Link::closing) return {};
  if (link_.is_welcomed()) {
    on_rank_frame(now, std::move(frame));
  } else if (frame.type == Type::challenge && must_prove) {
    act(action::Prove{std::move(frame)});
  } else if (frame.type == Type::welcome && !must_prove) {
    on_welcome(frame);
  } else {
    on_turned_away(now, frame.type == Type::refused ? printable(frame.text(Key::message), 2000)
                                                    : "the dispatcher did not say WELCOME");
  }
  return take();
}

void AgentCore::on_welcome(const Frame& frame) {
  clear_alarm(of_link);
  link_.on_welcome(std::chrono::milliseconds(frame.number(Key::grace_ms, 60000)));
  for (Rank& rank : ranks_) {
    rank.next.reset();  // it is not among what JOIN says, and so given to others
    if (rank.last_answer) tell(*rank.last_answer);
    for (const Frame& left : rank.left) tell(left);
    if (rank.given_up) tell(*rank.given_up);
    if (rank.is_up()) join(rank);
  }
  start_awaited();
}

void AgentCore::on_rank_frame(Time now, Frame&& frame) {
  if (frame.type == Type::ping) return tell(Frame(Type::pong));
  if (frame.type == Type::pong || frame.rank >= ranks_.size()) return;
  Rank& rank = ranks_[frame.rank];
  switch (frame.type) {
    case Type::welcome:
      if (rank.state != State::up || !rank.is_named_in(frame)) return;
      rank.on_joined();
      rank.state = State::accepted;
      return pass(rank, Frame(Type::welcome).with(Key::version, program_version));
    case Type::refused: return on_refused(rank, frame);
    case Type::task:
    case Type::map:
    case Type::cancel:
      // Before its WELCOME they are about the R before this one, whose LEFT is on its way.
      if (!rank.is_in()) return;
      if (frame.type == Type::map) return pass(rank, std::move(frame));
      return frame.type == Type::task ? on_task(rank, std::move(frame)) : on_cancel(rank, frame);
    case Type::ack: return rank.on_delivered();
    case Type::bye: return on_goodbye(now, frame.kind<ByeKind>() == ByeKind::end_all);
    case Type::hello:
    case Type::setup:
    case Type::ready:
    case Type::submit:
    case Type::everywhere:
    case Type::resolved:
    case Type::request:
    case Type::reply:
    case Type::note:
    case Type::join:
    case Type::left:
    case Type::finished:
    case Type::ping:
    case Type::pong:
    case Type::segment:
    case Type::challenge:
    case Type::elements:
    case Type::said:
    case Type::block:
    case Type::proof: return;  // PING and PONG are answered above, and the others are none of a dispatcher's
  }
}

void AgentCore::on_refused(Rank& rank, const Frame& frame) {
  if (!rank.is_up() || !rank.is_named_in(frame)) return;  // it is about the R before this one
  std::string why = frame.text(Key::message);
  pass(rank, Frame(Type::refused).with(Key::message, why));
  if (std::exchange(rank.state, State::leaving) != State::up) return;
  exit_code_ = 1;
  complain(why);
}

void AgentCore::join(Rank& rank) {
  if (!link_.is_welcomed() || is_ending()) return;
  rank.is_told = true;
  tell(join_of(rank));
  if (rank.held) tell(*rank.held);
  if (life_ == Life::draining) tell(drains_of(rank));
}

// --- the end ---

// The dispatcher sends our daemons away when they have done what they do, and we end with the
// last of them. By one of them it knows that all are meant.
Actions AgentCore::on_notice(Time now) {
  if (life_ != Life::serving) return {};
  life_ = Life::draining;
  auto up = std::find_if(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.is_up(); });
  if (up != ranks_.end()) tell(drains_of(*up));
  give_up_restarts(ranks_);
  if (all_are_over(ranks_)) on_goodbye(now, true);
  return take();
}

Actions AgentCore::on_signal(Time now, int number) {
  if (is_ending()) {
    // What they run had all the time it needs.
    if (!has_alarm(of_end)) end(now, life_, true);
    return take();
  }
  // The tasks are told to be ended from outside, so that they are tried again.
  for (Rank& rank : ranks_) {
    if (!rank.is_up()) continue;
    REnd end;
    end.how.signal = number;
    // In a job the signal is for all of them, and the dispatcher can learn why.
    if (rules_.in_job) tell(left_of(rank, end).with_kind(LeftKind::job_ends));
    else report_left(rank, end);
    rank.state = State::gone;
  }
  exit_code_ = 128 + number;
  end(now, Life::handed_back, true);
  return take();
}

// The dispatcher has gone, or the last R that there was or would have been.
void AgentCore::on_goodbye(Time now, bool stop) {
  if (is_ending()) return;
  // Another dispatcher may come to the same URL.
  if (stays() && !stop && !all_are_over(ranks_)) return hang_up("the dispatcher said goodbye");
  end(now, Life::ending, stop || rules_.autoexit == Autoexit::now);
}

void AgentCore::end(Time now, Life how, bool interrupt) {
  if (!is_ending()) life_ = how;
  clear_alarm(of_link);
  for (Rank& rank : ranks_) {
    pass(rank, Frame(Type::bye));
    if (interrupt && rank.running && rank.pid) act(action::Interrupt{*rank.pid});
  }
  if (interrupt) set_alarm(of_end, now + time_to_end);
  stop_if_done();
}

// Ends what did not obey, but no R that is not a daemon of ours any more.
void AgentCore::insist() {
  for (Rank& rank : ranks_) {
    if (!rank.pid) continue;
    if (!adopted_ || (rank.hears && adopted_->is_child)) {
      act(action::Kill{*rank.pid});
    } else if (!adopted_->is_child) {
      act(action::Forget{*std::exchange(rank.pid, std::nullopt)});
    }
  }
  stop_if_done();
}

void AgentCore::stop_if_done() {
  bool waits = !adopted_ || adopted_->is_watched;
  bool is_there = waits && std::any_of(ranks_.begin(), ranks_.end(),
                                       [](const Rank& rank) { return rank.pid.has_value(); });
  if (!is_ending() || is_there || life_ == Life::over) return;
  life_ = Life::over;
  alarms_.clear();
  act(action::Stop{});
}

}  // namespace tenkai
