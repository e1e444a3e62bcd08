#include "tests/agent/agent_simulator.h"

#include <signal.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "base/version.h"

namespace tenkai::tests {
namespace {

using namespace std::chrono_literals;
using Kind = AgentEvent::Kind;
using Autoexit = Autoexit;

constexpr int storm_steps = 250;
constexpr int all_steps = 8000;

AgentRules rules_of(std::uint64_t seed) {
  std::mt19937_64 random(seed * 2 + 1);
  auto below = [&random](std::uint64_t limit) { return random() % limit; };
  AgentRules rules;
  constexpr Autoexit ways[] = {Autoexit::now, Autoexit::finish, Autoexit::stay};
  rules.autoexit = ways[below(3)];
  rules.over_network = below(4) != 0;
  constexpr AgentRules::Proof proofs[] = {AgentRules::Proof::once, AgentRules::Proof::reusable};
  rules.proof = below(50) == 0 ? AgentRules::Proof::none : proofs[below(2)];
  rules.urls.resize(1 + below(4), "tcp://127.0.0.1:5555");
  rules.in_job = below(3) == 0;
  rules.task_logs = below(4) == 0;
  rules.seed = seed;
  return rules;
}

// A frame that comes with the pace of a dispatcher or an R.
Frame answer_to(const Frame& task, bool failed) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  if (failed) frame.with(Key::failed, 1);
  return frame;
}

}  // namespace

std::string describe(const AgentEvent& event) {
  constexpr const char* names[] = {"start",          "dial_failed",  "connected", "proven", "not_proven",
                                   "frame",          "disconnected", "started",   "failed", "r_frame",
                                   "r_stream_ended", "r_ended",      "notice",    "signal", "timer"};
  auto since = std::chrono::duration_cast<std::chrono::milliseconds>(event.now.time_since_epoch());
  std::string text = std::to_string(since.count()) + " ms: " + names[static_cast<int>(event.kind)];
  if (event.kind == Kind::frame || event.kind == Kind::r_frame)
    text += " of type " + std::to_string(static_cast<int>(event.frame.type)) + ", task " +
            std::to_string(event.frame.task) + ", rank " + std::to_string(event.frame.rank);
  return text + " (" + std::to_string(event.rank) + ") " + event.why.message;
}

std::string describe(const Action& action) {
  constexpr const char* names[] = {"dial",     "greet",   "prove",     "tell", "hang up", "start",
                                   "pass",     "release", "interrupt", "kill", "forget",  "log begins",
                                   "log ends", "warn",    "complain",  "stop"};
  std::string text = names[action.index()];
  if (const auto* tell = std::get_if<action::Tell>(&action))
    text += " type " + std::to_string(static_cast<int>(tell->frame.type)) + ", task " +
            std::to_string(tell->frame.task) + ", rank " + std::to_string(tell->frame.rank);
  if (const auto* pass = std::get_if<action::Pass>(&action))
    text += " type " + std::to_string(static_cast<int>(pass->frame.type)) + ", task " +
            std::to_string(pass->frame.task) + " to R " + std::to_string(pass->rank);
  if (const auto* start = std::get_if<action::Start>(&action)) text += " R " + std::to_string(start->rank);
  if (const auto* complain = std::get_if<action::Complain>(&action)) text += ": " + complain->text;
  return text;
}

Actions apply(AgentCore& core, const AgentEvent& event) {
  switch (event.kind) {
    case Kind::start: return core.on_start(event.adopted);
    case Kind::dial_failed: return core.on_dial_failed(event.now, event.why);
    case Kind::connected: return core.on_connected(event.now);
    case Kind::proven: return core.on_proven(event.now);
    case Kind::not_proven: return core.on_not_proven(event.now, event.why.message);
    case Kind::frame: return core.on_frame(event.now, Frame(event.frame));
    case Kind::disconnected: return core.on_disconnected(event.now, event.why);
    case Kind::started: return core.on_started(event.now, event.rank, event.number);
    case Kind::failed: return core.on_not_started(event.now, event.rank, event.why.message);
    case Kind::r_frame: return core.on_r_frame(event.now, event.rank, Frame(event.frame));
    case Kind::r_stream_ended: return core.on_r_stream_ended(event.now, event.rank);
    case Kind::r_ended: return core.on_r_ended(event.now, event.rank, event.end);
    case Kind::notice: return core.on_notice(event.now);
    case Kind::signal: return core.on_signal(event.now, event.number);
    case Kind::timer: return core.on_timer(event.now);
  }
  return {};
}

AgentSimulation::AgentSimulation(std::uint64_t seed, Play play)
    : seed_(seed),
      random_(seed),
      play_(std::move(play)),
      rules_(rules_of(seed)),
      born_(Time(1h)),
      now_(born_),
      core_(rules_, now_),
      rs_(rules_.urls.size()),
      duties_(rules_.urls.size()) {}

std::string AgentSimulation::run() {
  AgentEvent starts = event(Kind::start);
  if (rs_.size() == 1 && chance(30)) {
    R& r = rs_.front();
    r.pid = ++last_pid_;
    r.is_there = r.has_stream = true;
    r.instance = "R";
    duties_.front().was_started = true;
    starts.adopted = adopted_ = AgentCore::Adopted{r.pid, chance(50), true};
  }
  happen(starts);
  for (int steps = 0; complaint_.empty() && !has_stopped_; ++steps) {
    if (steps == storm_steps) phase_ = Phase::calm;
    if (steps == all_steps) complain("it goes on for ever, and tasks are not answered");
    step();
  }
  return complaint_;
}

AgentEvent AgentSimulation::event(Kind kind, std::uint32_t rank) {
  AgentEvent event;
  event.kind = kind;
  event.now = now_;
  event.rank = rank;
  return event;
}

void AgentSimulation::complain(const std::string& what) {
  if (!complaint_.empty()) return;
  complaint_ = what + "\n  seed " + std::to_string(seed_) + "; the way there:\n";
  for (const std::string& line : log_) complaint_ += "  " + line + "\n";
}

// --- what happens ---

void AgentSimulation::step() {
  if (phase_ == Phase::storm) {
    pass_time(std::chrono::milliseconds(below(20)));
    if (chance(2)) pass_time(std::chrono::milliseconds(below(chance(10) ? 40000 : 2000)));
    if (!has_stopped_) step_of_storm();
    return;
  }
  auto is_for_good = [](const Duty& duty) { return duty.is_for_good; };
  bool nobody = must_end_ || is_draining_ || std::all_of(duties_.begin(), duties_.end(), is_for_good);
  if (phase_ == Phase::calm && (dispatcher_.is_done() || nobody)) phase_ = Phase::farewell;
  if (move_on() || has_stopped_) return;
  bool can_tell = wire_ && wire_->is_welcomed && !wire_->has_ended;
  if (phase_ == Phase::farewell && can_tell && !must_end_) {
    wire_->down.push_back(Frame(Type::bye).with_kind(ByeKind::end_all));
    return;
  }
  if (!core_.next_timer() && must_end_ && !std::exchange(is_asked_to_end_, true)) {
    AgentEvent signal = event(Kind::signal);
    signal.number = SIGTERM;
    return happen(signal);  // a daemon takes its time to finish
  }
  if (!core_.next_timer()) return complain("nothing is left to happen, and the agent does not end");
  pass_time(std::chrono::duration_cast<std::chrono::milliseconds>(*core_.next_timer() - now_) + 1ms);
}

void AgentSimulation::step_of_storm() {
  std::uint64_t dice = below(1000);
  auto falls = [&dice](std::uint64_t weight) {
    bool here = dice < weight;
    dice -= weight;  // wraps once it has fallen, and is not asked again
    return here;
  };
  bool is_in = wire_ && wire_->is_welcomed && !wire_->has_ended;
  auto rank = static_cast<std::uint32_t>(below(rs_.size()));
  if (falls(120)) {
    dispatcher_.submit();
    if (is_in) dispatcher_.hand_out(wire_->down);
  } else if (falls(60)) {
    constexpr CancelKind kinds[] = {CancelKind::interrupt, CancelKind::interrupt, CancelKind::interrupt,
                                    CancelKind::kill, CancelKind::kill_for_good};
    if (is_in) dispatcher_.cancel(rank, kinds[below(chance(90) ? 4 : 5)], wire_->down);
  } else if (falls(10)) {
    if (is_in) wire_->down.push_back(Frame(Type::ping));
  } else if (falls(25)) {
    if (wire_) end_wire();
  } else if (falls(10)) {
    if (!wire_) dispatcher_.forget_agent();
    if (!wire_ && chance(20)) dispatcher_.knows_way_back = false;
  } else if (falls(1)) {
    dispatcher_.refuses = chance(30);
  } else if (falls(1)) {
    if (chance(30)) happen(event(Kind::notice));
  } else if (falls(1)) {
    AgentEvent signal = event(Kind::signal);
    signal.number = SIGTERM;
    if (chance(20)) happen(signal);
  } else if (falls(1)) {
    if (!is_in || chance(50)) return;
    wire_->down.push_back(Frame(Type::bye).with_kind(chance(80) ? ByeKind::end : ByeKind::end_all));
    // With it goes the session; another may come.
    dispatcher_ = PlayedDispatcher(dispatcher_.session + 1);
  } else {
    move_on();
  }
}

// Whatever can happen by itself; false where nothing can.
bool AgentSimulation::move_on() {
  std::size_t many = rs_.size() + 2;
  std::size_t first = below(many);
  for (std::size_t i = 0; i < many; ++i) {
    std::size_t which = (first + i) % many;
    bool moved = which < rs_.size() ? move_r(static_cast<std::uint32_t>(which)) : move_wire();
    if (moved) return true;
  }
  return false;
}

bool AgentSimulation::move_wire() {
  if (is_dialled_) return answer_dial(), true;
  if (!wire_) return false;
  bool can_go_up = !wire_->up.empty();
  bool can_go_down = !wire_->down.empty() && !wire_->is_hung_up;
  if (can_go_up && (!can_go_down || chance(50))) return deliver_up(), true;
  if (can_go_down) return deliver_down(), true;
  if (!wire_->has_ended) return false;
  AgentEvent ends = event(Kind::disconnected);
  ends.why.message = "the connection has ended";
  wire_.reset();
  happen(ends);
  return true;
}

void AgentSimulation::answer_dial() {
  is_dialled_ = false;
  bool is_good = phase_ != Phase::storm || chance(was_welcomed_ ? 60 : 90);
  if (is_good || (rules_.over_network && chance(20))) {
    wire_ = Wire();
    wire_->is_impostor = !is_good;
    return happen(event(Kind::connected));
  }
  constexpr Code codes[] = {Code::refused, Code::timed_out, Code::unreachable, Code::reset};
  AgentEvent fails = event(Kind::dial_failed);
  fails.why = with_code(codes[below(4)], "nobody is there");
  happen(fails);
}

void AgentSimulation::end_wire() {
  wire_->has_ended = true;
  wire_->up.resize(below(wire_->up.size() + 1));
  wire_->down.resize(below(wire_->down.size() + 1));
}

void AgentSimulation::deliver_down() {
  AgentEvent comes = event(Kind::frame);
  comes.frame = std::move(wire_->down.front());
  wire_->down.pop_front();
  happen(comes);
}

void AgentSimulation::deliver_up() {
  Frame frame = std::move(wire_->up.front());
  wire_->up.pop_front();
  serve(frame);
  if (!dispatcher_.complaint.empty()) complain(dispatcher_.complaint);
}

void AgentSimulation::serve(const Frame& frame) {
  std::deque<Frame> answers;
  if (wire_->is_impostor) {
    if (chance(30)) wire_->has_ended = true;
    else answers.emplace_back(chance(50) ? Type::note : Type::refused);
  } else if (frame.type == Type::hello && rules_.over_network) {
    bool is_good = wire_->resumes
                       ? dispatcher_.knows_way_back
                       : !dispatcher_.has_used_credential || rules_.proof == AgentRules::Proof::reusable;
    if (!wire_->resumes) dispatcher_.forget_agent();
    answers.push_back(Frame(Type::challenge).with(Key::code, is_good));
  } else if (frame.type == Type::hello || frame.type == Type::proof) {
    dispatcher_.knows_way_back = dispatcher_.has_used_credential = true;
    dispatcher_.on_reconnected();
    answers.push_back(Frame(Type::welcome).with(Key::grace_ms, static_cast<std::uint64_t>(grace.count())));
  } else {
    dispatcher_.hear(frame, answers);
  }
  if (wire_->has_ended) return;
  std::move(answers.begin(), answers.end(), std::back_inserter(wire_->down));
}

// --- R ---

bool AgentSimulation::move_r(std::uint32_t rank) {
  R& r = rs_[rank];
  bool can_say = r.has_stream && !r.says.empty();
  bool can_close = r.has_stream && r.has_closed && r.says.empty();
  bool can_end = r.is_there && r.has_died;
  if (can_end && (chance(50) || (!can_say && !can_close))) {
    AgentEvent ends = event(Kind::r_ended, rank);
    ends.end = r.end;
    r.is_there = false;
    happen(ends);
  } else if (can_say) {
    AgentEvent says = event(Kind::r_frame, rank);
    says.frame = std::move(r.says.front());
    r.says.pop_front();
    happen(says);
  } else if (can_close) {
    r.has_stream = false;
    happen(event(Kind::r_stream_ended, rank));
  } else if (r.is_there && !r.has_died && !r.has_closed) {
    return r_acts(rank);
  } else if (r.is_there && !r.has_died && adopted_ && phase_ != Phase::storm) {
    r_dies(r, {}, 0);
  } else {
    return false;
  }
  return true;
}

bool AgentSimulation::r_acts(std::uint32_t rank) {
  R& r = rs_[rank];
  bool storm = phase_ == Phase::storm;
  if (!r.has_greeted) {
    if (storm && chance(4))
      return r_dies(r, {}, 1, chance(10) ? "there is no package called 'tenkai'" : ""), true;
    r.has_greeted = true;
    bool is_fit = !storm || !chance(2);
    r.says.push_back(Frame(Type::hello)
                         .with(Key::version, is_fit ? std::string_view(program_version) : "0.0.1")
                         .with(Key::instance, r.instance));
    return true;
  }
  if (storm && chance(2)) return r_dies(r, chance(50) ? SIGTERM : SIGSEGV, 0), true;
  if (r.task) {
    // In the end some do not listen, and have to be killed.
    if (phase_ == Phase::farewell && r.pid % 2 == 0) return false;
    if (storm && chance(60)) return false;
    finish(r, false);
  } else if (r.is_told_to_go) {
    r_dies(r, {}, 0);
  } else if (storm && r.was_welcomed && chance(2)) {
    r.says.emplace_back(Type::bye);
    r.has_closed = true;
    if (!adopted_ || chance(50)) r_dies(r, {}, 0);
  } else if (storm && !adopted_ && chance(1)) {
    r.has_closed = true;  // by mistake, and it goes on
  } else {
    return false;
  }
  return true;
}

void AgentSimulation::finish(R& r, bool failed) {
  r.says.push_back(answer_to(*std::exchange(r.task, std::nullopt), failed));
}

void AgentSimulation::r_dies(R& r, std::optional<int> signal, int exit_code, const std::string& log) {
  r.has_died = r.has_closed = true;
  r.task.reset();
  if (signal) r.end.how.signal = signal;
  else r.end.how.exit_code = exit_code;
  r.end.log_tail = log;
}

void AgentSimulation::r_hears(std::uint32_t rank, const Frame& frame) {
  R& r = rs_[rank];
  bool ends = frame.type == Type::refused || frame.type == Type::bye;
  if (!r.was_welcomed && r.is_told_to_go) return;  // it does not listen any more
  if (!r.was_welcomed && !ends && frame.type != Type::welcome)
    complain("an R was told something before it was welcomed");
  if (frame.type == Type::welcome) r.was_welcomed = true;
  if (ends) r.is_told_to_go = true;
  if (r.has_died || r.has_closed) return;
  if (frame.type != Type::task) return;
  if (frame.text(Key::instance) != r.instance)
    complain("a task was given to another R than it was meant for");
  if (r.task) complain("an R that is at work was given another task");
  if (duties_[rank].arrived != Rank::attempt_of(frame)) complain("a task was begun that had been given back");
  r.task = frame;
}

AgentSimulation::R* AgentSimulation::process(pid_t pid) {
  auto found = std::find_if(rs_.begin(), rs_.end(), [pid](const R& r) { return r.pid == pid && r.is_there; });
  return found == rs_.end() ? nullptr : &*found;
}

// --- time ---

void AgentSimulation::pass_time(std::chrono::milliseconds time) {
  Time until = now_ + time;
  for (int count = 0; complaint_.empty() && core_.next_timer() && *core_.next_timer() <= until; ++count) {
    now_ = std::max(now_, *core_.next_timer());
    if (count > 1000) complain("a timer is set again and again");
    happen(event(Kind::timer));
  }
  now_ = until;
  if (complaint_.empty()) check_time();
}

}  // namespace tenkai::tests
