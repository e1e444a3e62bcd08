// What an agent promises: whether what its core asks for is right in the world around it.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/version.h"
#include "process/r_log.h"
#include "process/restarts.h"
#include "tests/agent/agent_simulator.h"

namespace tenkai::tests {
namespace {

using namespace std::chrono_literals;
using Kind = AgentEvent::Kind;

template <class What>
bool has(const Actions& actions) {
  return std::any_of(actions.begin(), actions.end(),
                     [](const Action& each) { return std::holds_alternative<What>(each); });
}

template <class What>
bool has_frame(const Actions& actions, Type type) {
  return std::any_of(actions.begin(), actions.end(), [type](const Action& each) {
    const What* what = std::get_if<What>(&each);
    return what != nullptr && what->frame.type == type;
  });
}

}  // namespace

void AgentSimulation::happen(AgentEvent event) {
  if (!complaint_.empty() || has_stopped_) return;
  bool was_in = wire_ && wire_->is_welcomed;
  expect(event);
  Actions actions = play_(core_, event);
  log_.push_back(describe(event));
  for (const Action& action : actions) log_.push_back("    " + describe(action));
  while (log_.size() > 60) log_.pop_front();
  if (event.kind == Kind::dial_failed || event.kind == Kind::disconnected) check_lost(event, actions);
  bool is_of_link =
      event.kind == Kind::connected || event.kind == Kind::not_proven || event.kind == Kind::frame;
  if (is_of_link && !was_in && has<action::Complain>(actions)) must_end_ = true;  // it has given up
  if (was_in && event.kind == Kind::frame && event.frame.type == Type::ping &&
      !has_frame<action::Tell>(actions, Type::pong))
    complain("a dispatcher that asks whether we are there was not answered");
  for (const Action& action : actions) {
    std::visit([this](const auto& each) { take(each); }, action);
  }
  bool is_over = std::all_of(duties_.begin(), duties_.end(),
                             [](const Duty& duty) { return duty.is_for_good && duty.is_settled; });
  bool is_more_due = core_.next_timer() && *core_.next_timer() <= now_;
  if (is_over && !has_stopped_ && !is_more_due)
    complain("nothing is left to do for the agent, and it goes on");
}

// --- what must follow ---

void AgentSimulation::expect(const AgentEvent& event) {
  Duty& duty = duties_[event.rank];
  R& r = rs_[event.rank];
  if (event.kind == Kind::signal) must_end_ = true;
  if (event.kind == Kind::notice && !must_end_) is_draining_ = true;
  if (event.kind == Kind::frame) expect_frame(event.frame);
  bool any_up = std::any_of(duties_.begin(), duties_.end(), [](const Duty& each) { return each.is_up; });
  if (event.kind == Kind::failed && !any_up) must_end_ = true;
  if (event.kind == Kind::failed) settled(event.rank);
  if (event.kind == Kind::r_frame && event.frame.type == Type::hello) {
    duty.is_unfit = !works_with(program_version, event.frame.text(Key::version));
    duty.is_up = !duty.is_unfit && !duty.is_for_good;
    if (duty.is_up) duty.failed_starts = 0;
    duty.up_since = now_;
  }
  if (event.kind == Kind::r_frame && event.frame.type == Type::bye) {
    duty.is_for_good = true;
    duty.is_up = duty.is_in = false;
  }
  bool answers = event.kind == Kind::r_frame && event.frame.type == Type::finished;
  if (answers && !must_end_ && duty.arrived == Rank::attempt_of(event.frame)) duty.answered = duty.arrived;
  if (event.kind == Kind::r_ended && rules_.in_job && !must_end_ && event.end.how.signal == SIGTERM)
    duty.settles_at = now_ + 2s;
  if (event.kind == Kind::r_stream_ended && adopted_ && r.is_there) duty.leaves_at = now_ + 500ms;
  if (event.kind == Kind::r_ended) duty.leaves_at.reset();
  if (event.kind == Kind::timer && duty.leaves_at && *duty.leaves_at <= now_) must_end_ = true;
  bool is_at_end =
      event.kind == Kind::r_ended ? !r.has_stream : event.kind == Kind::r_stream_ended && !r.is_there;
  if (is_at_end && (!duty.settles_at || must_end_)) settled(event.rank);
  for (std::uint32_t rank = 0; rank < duties_.size() && event.kind == Kind::timer; ++rank) {
    if (duties_[rank].settles_at && *duties_[rank].settles_at <= now_) settled(rank);
  }
}

void AgentSimulation::expect_frame(const Frame& frame) {
  if (wire_->is_hung_up) return;
  if (!wire_->is_welcomed) {
    if (frame.type != Type::welcome) return;
    wire_->is_welcomed = was_welcomed_ = true;
    cut_off_since_.reset();
    return;
  }
  Duty& duty = duties_[frame.rank];
  bool is_meant = frame.text(Key::instance) == rs_[frame.rank].instance;
  if (frame.type == Type::bye &&
      (rules_.autoexit != Autoexit::stay || frame.kind<ByeKind>() == ByeKind::end_all))
    must_end_ = true;
  if (frame.type == Type::welcome && duty.is_up && is_meant) duty.is_in = true;
  if (frame.type == Type::refused && duty.is_up && is_meant) duty.is_for_good = true;
  if (frame.type == Type::task) duty.arrived = Rank::attempt_of(frame);
  bool is_in = frame.type == Type::welcome && is_meant;
  if (frame.type == Type::task || frame.type == Type::ack) duty.answered.reset();
  if (frame.type == Type::task || frame.type == Type::ack || is_in) duty.owed.reset();
  if (frame.type != Type::cancel) return;
  if (frame.kind<CancelKind>() == CancelKind::kill_for_good && duty.is_in) duty.is_for_good = true;
  if (duty.answered == Rank::attempt_of(frame)) duty.answered.reset();
  if (duty.owed == Rank::attempt_of(frame)) duty.owed.reset();
}

// An R and its stream have both ended: whether, and when, another has to be started.
void AgentSimulation::settled(std::uint32_t rank) {
  Duty& duty = duties_[rank];
  if (duty.is_settled) return;
  bool was_up = std::exchange(duty.is_up, false);
  duty.is_in = false;
  duty.is_settled = true;
  duty.settles_at.reset();
  duty.leaves_at.reset();
  duty.arrived.reset();
  if (duty.answered) {
    duty.owed = std::exchange(duty.answered, std::nullopt);
    duty.owed_by = rs_[rank].instance;
  }
  if (must_end_ || is_draining_ || adopted_) duty.is_for_good = true;
  if (duty.is_for_good) return;
  std::optional<std::chrono::milliseconds> pause;
  if (was_up) {
    bool is_good = duty.has_worked || now_ - duty.up_since >= short_life;
    duty.idle_ends = is_good ? 0 : duty.idle_ends + 1;
    auto many = static_cast<std::size_t>(duty.idle_ends);
    if (many < 2) pause = 0ms;
    else if (many < 2 + restart_pauses.size()) pause = restart_pauses[many - 2];
  } else {
    bool is_hopeless = duty.is_unfit || misses_package(rs_[rank].end.log_tail);
    bool any_up = std::any_of(duties_.begin(), duties_.end(), [](const Duty& each) { return each.is_up; });
    for (Duty& each : duties_) each.is_for_good = each.is_for_good || (is_hopeless && !any_up);
    if (is_hopeless && !any_up) must_end_ = true;  // it would be the same for all
    if (++duty.failed_starts < 3 && !is_hopeless) pause = duty.failed_starts == 1 ? 0ms : 500ms;
  }
  if (pause) duty.start_at = now_ + *pause;
  else duty.is_for_good = true;
}

// Whether the agent gives up when it must, and calls again when it can.
void AgentSimulation::check_lost(const AgentEvent& event, const Actions& actions) {
  if (must_end_) return;
  bool stays = rules_.autoexit == Autoexit::stay;
  Code code = event.why.code;
  if (event.kind == Kind::disconnected && !was_welcomed_ && code == Code::none) code = Code::reset;
  bool hung_up = code == Code::reset && now_ - born_ < 5s;
  bool is_hopeless = !was_welcomed_ && !stays && !hung_up;
  if (!is_hopeless && !cut_off_since_) cut_off_since_ = now_;
  std::chrono::milliseconds patience = was_welcomed_ ? grace : 60s;
  if (code == Code::refused || code == Code::not_found)
    patience = std::min(patience, std::chrono::milliseconds(5s));
  if (!stays && !is_hopeless) is_hopeless = now_ - *cut_off_since_ > patience;
  bool has_given_up =
      core_.exit_code() == 1 && (has<action::Complain>(actions) || has<action::Stop>(actions) ||
                                 has_frame<action::Pass>(actions, Type::bye));
  if (is_hopeless && !has_given_up && !adopted_) complain("an agent that nobody wants goes on");
  if (!is_hopeless && has_given_up) complain("an agent has given up too early");
  if (is_hopeless) must_end_ = true;
  else dial_until_ = now_ + 1s;
}

void AgentSimulation::check_time() {
  if (must_end_ || has_stopped_) return;
  if (dial_until_ && *dial_until_ < now_) complain("nobody was called again after a break");
  for (const Duty& duty : duties_) {
    bool is_missed = duty.start_at && *duty.start_at < now_ && !duty.is_for_good && !is_draining_;
    if (is_missed) complain("a daemon was not started again");
  }
}

// --- what it asks for ---

void AgentSimulation::take(const action::Dial&) {
  if (must_end_) complain("an agent that ends calls somebody");
  if (wire_ || is_dialled_) complain("somebody is called while the line is open");
  is_dialled_ = true;
  dial_until_.reset();
}

void AgentSimulation::take(const action::Greet& greet) {
  if (!wire_ || wire_->is_hung_up) return complain("nobody is there to be greeted");
  wire_->resumes = greet.resume;
  wire_->up.emplace_back(Type::hello);
}

void AgentSimulation::take(const action::Prove& prove) {
  if (!wire_ || wire_->is_hung_up) return complain("nobody is there to be shown a proof");
  bool is_good = prove.challenge.number(Key::code) == 1;
  if (is_good) wire_->up.emplace_back(Type::proof);
  AgentEvent judged = event(is_good ? Kind::proven : Kind::not_proven);
  judged.why.message = "it has another credential";
  happen(judged);
}

void AgentSimulation::take(const action::Tell& tell) {
  if (!wire_ || !wire_->is_welcomed || wire_->is_hung_up)
    return complain("a dispatcher was told that is not there");
  const Frame& frame = tell.frame;
  if (frame.type == Type::join && must_end_) complain("somebody joins an agent that ends");
  if (frame.type == Type::join) expect_held(frame);
  if (frame.type == Type::left) expect_answered(frame);
  if (frame.type == Type::finished) wire_->answers.push_back(Rank::attempt_of(frame));
  if (!wire_->has_ended) wire_->up.push_back(frame);
}

// What JOIN says that a daemon holds is what it has; the rest is given to others.
void AgentSimulation::expect_held(const Frame& join) {
  Duty& duty = duties_[join.rank];
  const R& r = rs_[join.rank];
  Rank::Attempt held = Rank::attempt_of(join);
  if (r.task && held != Rank::attempt_of(*r.task)) complain("what an R runs was not told after a break");
  if (!r.task && duty.answered && held != *duty.answered) complain("an answer was lost with the connection");
  if (duty.arrived != held) duty.arrived.reset();
}

// LEFT gives to others what was not answered before it.
void AgentSimulation::expect_answered(const Frame& left) {
  const Duty& duty = duties_[left.rank];
  auto kind = left.kind<LeftKind>();
  bool is_end = kind == LeftKind::ended || kind == LeftKind::goodbye;
  if (!is_end || !duty.owed || left.text(Key::instance) != duty.owed_by) return;
  const std::vector<Rank::Attempt>& told = wire_->answers;
  if (std::find(told.begin(), told.end(), *duty.owed) == told.end())
    complain("the end of an R was told before its answer");
}

void AgentSimulation::take(const action::HangUp&) {
  if (!wire_ || wire_->is_hung_up) return complain("there is nobody to hang up on");
  wire_->is_hung_up = wire_->has_ended = true;
  wire_->down.clear();
}

void AgentSimulation::take(const action::Start& start) {
  Duty& duty = duties_[start.rank];
  R& r = rs_[start.rank];
  if (!was_welcomed_) complain("a daemon was started before anybody had let us in");
  if (must_end_) complain("a daemon was started by an agent that ends");
  if (is_draining_ && duty.was_started) complain("a daemon was started again in a job that ends soon");
  if (duty.is_for_good) complain("a daemon was started that was to go for good");
  if (r.is_there || r.has_stream) complain("two R processes were started for one daemon");
  if (duty.was_started && (!duty.start_at || now_ < *duty.start_at))
    complain("a daemon was started again too soon");
  if (start.starts != duty.starts++) complain("starts are not counted");
  r = R();
  duty.is_settled = duty.has_worked = duty.is_unfit = false;
  duty.start_at.reset();
  if (chance(1) && phase_ == Phase::storm) {
    duty.was_started = true;
    AgentEvent fails = event(Kind::failed, start.rank);
    fails.why.message = "no R";
    return happen(fails);
  }
  r.pid = ++last_pid_;
  r.is_there = r.has_stream = true;
  r.instance = "R " + std::to_string(r.pid);
  duty.was_started = true;
  AgentEvent starts = event(Kind::started, start.rank);
  starts.number = r.pid;
  happen(starts);
}

void AgentSimulation::take(const action::Pass& pass) {
  if (!rs_[pass.rank].has_stream) return complain("an R was told something that has hung up");
  Duty& duty = duties_[pass.rank];
  if (pass.frame.type == Type::task && pass.frame.kind<TaskKind>() == TaskKind::plain) duty.has_worked = true;
  r_hears(pass.rank, pass.frame);
}

void AgentSimulation::take(const action::Release& release) {
  R& r = rs_[release.rank];
  if (!r.has_stream || r.is_there) complain("an R was hung up on that has not ended");
  r.has_stream = false;
  r.says.clear();
  settled(release.rank);
}

void AgentSimulation::take(const action::Interrupt& interrupt) {
  R* r = process(interrupt.pid);
  if (r == nullptr) return complain("a process was interrupted that has ended");
  bool listens = phase_ == Phase::farewell ? r->pid % 2 != 0 : chance(80);
  if (r->task && !r->has_died && listens) finish(*r, true);
}

void AgentSimulation::take(const action::Kill& kill) {
  R* r = process(kill.pid);
  if (r == nullptr) return complain("a process was killed that has ended");
  if (!r->has_died) r_dies(*r, SIGKILL, 0);
}

void AgentSimulation::take(const action::Forget& forget) {
  R* r = process(forget.pid);
  if (r == nullptr || !adopted_ || adopted_->is_child)
    return complain("a process was forgotten that is ours");
  r->is_there = false;
  duties_.front().is_for_good = duties_.front().is_settled = true;
}

void AgentSimulation::take(const action::Stop&) {
  has_stopped_ = true;
  for (const R& r : rs_) {
    if (r.is_there) complain("an agent has ended before its daemons");
  }
}

}  // namespace tenkai::tests
