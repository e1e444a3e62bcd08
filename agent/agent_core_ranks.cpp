// What an agent decides about its daemons: their starts, tasks and ends.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "agent/agent_core.h"
#include "base/text.h"
#include "base/version.h"
#include "process/r_log.h"

namespace tenkai {
namespace {

using State = Rank::State;

// How long the end of an R's stream is waited for when the process has ended.
constexpr std::chrono::milliseconds wait_for_last_words{500};
// An R whose stream has ended ends, too, in a moment, if it has not closed it by mistake.
constexpr std::chrono::seconds wait_for_deaf{2};
// A job is ended by a SIGTERM to all in it. Where R is the first to die of it, ours is
// on its way, and it is the job's end that has to be told, not R's.
constexpr std::chrono::seconds wait_for_signal_of_job{2};
constexpr int max_failed_starts = 3;
constexpr std::chrono::milliseconds pause_of_start{500};

// As a shell tells it.
int exit_code_of(const REnd& end) { return end.how.exit_code.value_or(128 + end.how.signal.value_or(0)); }

}  // namespace

// One after the other: where one cannot be started, we have given up before the next.
void AgentCore::start_awaited() {
  for (Rank& rank : ranks_) {
    if (rank.state == State::awaited) return start(rank);
  }
}

void AgentCore::start(Rank& rank) {
  if (!is_ending()) act(action::Start{rank.number, rank.starts++});
}

Actions AgentCore::on_started(Time, std::uint32_t number, pid_t pid) {
  Rank& rank = ranks_[number];
  rank.state = State::starting;
  rank.pid = pid;
  rank.hears = true;
  rank.worked = rank.is_told = false;
  rank.up_since.reset();
  start_awaited();
  return take();
}

// Where others are up, this machine can start one, and lacks memory or processes for a while.
Actions AgentCore::on_not_started(Time now, std::uint32_t number, const std::string& why) {
  bool any_up = std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.is_up(); });
  if (!any_up) return on_failed(now, why);
  REnd end;
  end.log_tail = why;
  restart(now, ranks_[number], end, false);
  start_awaited();
  return take();
}

Actions AgentCore::on_r_frame(Time now, std::uint32_t number, Frame&& frame) {
  Rank& rank = ranks_[number];
  switch (frame.type) {
    case Type::hello: on_r_hello(now, rank, frame); break;
    case Type::bye: on_r_goodbye(rank); break;
    case Type::finished: on_finished(rank, std::move(frame)); break;
    case Type::said: on_said(rank, std::move(frame)); break;
    case Type::welcome:
    case Type::refused:
    case Type::setup:
    case Type::ready:
    case Type::submit:
    case Type::everywhere:
    case Type::cancel:
    case Type::resolved:
    case Type::request:
    case Type::reply:
    case Type::note:
    case Type::join:
    case Type::left:
    case Type::task:
    case Type::ack:
    case Type::ping:
    case Type::pong:
    case Type::segment:
    case Type::challenge:
    case Type::map:
    case Type::block:
    case Type::elements:
    case Type::proof: break;  // none of an R's
  }
  return take();
}

void AgentCore::on_r_hello(Time now, Rank& rank, const Frame& frame) {
  if (rank.state != State::starting) return;
  if (!works_with(program_version, frame.text(Key::version))) {
    rank.state = State::unfit;
    std::string why = "the R package tenkai is version " + printable(frame.text(Key::version), 40) +
                      ", the program is version " + std::string(program_version) +
                      ": install the same version of both";
    return pass(rank, Frame(Type::refused).with(Key::message, why));
  }
  rank.state = State::up;
  rank.up_since = now;
  rank.failed_starts = 0;
  rank.instance = frame.text(Key::instance);
  join(rank);
}

// It runs nothing more; what crosses this on its way has not started.
void AgentCore::on_r_goodbye(Rank& rank) {
  if (rank.is_up()) {
    rank.state = State::leaving;
    report_left(rank, REnd{});
  }
  if (rank.state != State::over) rank.state = State::gone;
}

// It is of use now or never.
void AgentCore::on_said(const Rank& rank, Frame&& frame) {
  if (!rank.running || Rank::attempt_of(frame) != *rank.running || life_ >= Life::handed_back) return;
  frame.rank = rank.number;
  tell(std::move(frame));
}

void AgentCore::on_finished(Rank& rank, Frame&& frame) {
  if (!rank.running || Rank::attempt_of(frame) != *rank.running || life_ >= Life::handed_back) return;
  rank.running.reset();
  // What R writes it has written before it answers.
  if (rules_.task_logs) act(action::EndTaskLog{rank.number, frame.task});
  frame.rank = rank.number;
  rank.held = frame;
  tell(std::move(frame));
  if (rank.next) on_task(rank, std::move(*std::exchange(rank.next, std::nullopt)));
}

Actions AgentCore::on_r_ended(Time now, std::uint32_t number, const REnd& end) {
  Rank& rank = ranks_[number];
  rank.pid.reset();
  rank.ended = end;
  if (adopted_) exit_code_ = exit_code_of(end);
  bool of_job = may_be_end_of_job(end);
  if (!rank.hears && !of_job) {
    settle(now, rank);
  } else {
    set_alarm(number, now + (of_job ? wait_for_signal_of_job : wait_for_last_words));
  }
  return take();
}

Actions AgentCore::on_r_stream_ended(Time now, std::uint32_t number) {
  Rank& rank = ranks_[number];
  rank.hears = false;
  if (rank.ended && !may_be_end_of_job(*rank.ended)) {
    settle(now, rank);
  } else if (adopted_ && rank.pid) {
    // An adopted R may live on without its stream; if it has ended, its exit status
    // says more, and comes in a moment.
    set_alarm(number, now + wait_for_last_words);
  } else if (rank.pid && !rank.goes_for_good() && !is_ending()) {
    set_alarm(number, now + wait_for_deaf);
  }
  return take();
}

// It hears of no task, nor that it is to end, and the dispatcher knows nothing of that.
void AgentCore::end_deaf(const Rank& rank) {
  if (!rank.pid || rank.hears) return;
  act(action::Warn{"R for daemon " + std::to_string(rank.number + 1) +
                   " has lost its stream and goes on: it is killed"});
  act(action::Kill{*rank.pid});
}

bool AgentCore::may_be_end_of_job(const REnd& end) const {
  return rules_.in_job && !is_ending() && end.how.signal == SIGTERM;
}

// The process and its stream are both at their end.
void AgentCore::settle(Time now, Rank& rank) {
  clear_alarm(rank.number);
  REnd end = *std::exchange(rank.ended, std::nullopt);
  bool was_up = rank.is_up();
  if (was_up) report_left(rank, end);
  if (std::exchange(rank.hears, false)) act(action::Release{rank.number});
  rank.running.reset();
  rank.next.reset();
  if (rank.held) rank.last_answer = std::move(*std::exchange(rank.held, std::nullopt));
  if (is_ending()) {
    rank.state = State::over;
    return stop_if_done();
  }
  if (!rank.goes_for_good() && !adopted_ && life_ != Life::draining) return restart(now, rank, end, was_up);
  // It has gone as it should. With the last one nothing is left to do.
  rank.state = State::over;
  if (all_are_over(ranks_)) on_goodbye(now, true);
}

void AgentCore::restart(Time now, Rank& rank, const REnd& end, bool was_up) {
  std::string lines = (end.excess.empty() ? "" : ": " + end.excess) + "; its last lines:\n" + end.log_tail;
  bool has_run = end.how.exit_code || end.how.signal;
  std::string name =
      "R for daemon " + std::to_string(rank.number + 1) + (has_run ? " ended " : " could not be started ");
  std::optional<std::chrono::milliseconds> pause;
  std::string often;
  if (was_up) {
    pause = rank.restarts.on_ended(now, rank.up_since, rank.worked);
    often = std::to_string(rank.restarts.failures()) + " times in a row with nothing done";
  } else {
    int failed = ++rank.failed_starts;
    bool hopeless = rank.state == State::unfit || misses_package(end.log_tail);
    if (hopeless) give_up_unless_up(ranks_);
    if (!hopeless && failed < max_failed_starts)
      pause = failed == 1 ? std::chrono::milliseconds(0) : pause_of_start;
    often = (failed == 1 ? "" : std::to_string(failed) + " times ") + "before it was ready";
  }
  if (!pause) return leave_down(now, rank, end, name + often + lines);
  rank.state = State::paused;
  set_alarm(rank.number, now + *pause);
}

// The dispatcher is told, which can tell the session. The other daemons go on; where
// there are none, nothing is left to do.
void AgentCore::leave_down(Time now, Rank& rank, const REnd& end, const std::string& why) {
  rank.state = State::over;
  rank.given_up = given_up_of(rank, end);
  tell(*rank.given_up);
  if (!all_are_over(ranks_)) return complain(why + "\nIt is not started again; the other daemons go on");
  complain(why);
  // Who has started us would know how R has ended.
  int how = exit_code_of(end);
  exit_code_ = how == 0 ? 1 : how;
  on_goodbye(now, true);
}

// An R that we have not started goes on with other things: it is no daemon any
// more, and not ours to end. Where we have taken its place (it is our child), we
// wait for it and end as it does; beside an interactive one we just go.
void AgentCore::leave_adopted(Time now, Rank& rank) {
  if (!rank.pid) return;
  if (rank.is_up()) report_left(rank, REnd{});
  if (!adopted_->is_child) act(action::Forget{*std::exchange(rank.pid, std::nullopt)});
  rank.state = State::over;
  on_goodbye(now, false);
  stop_if_done();
}

void AgentCore::report_left(Rank& rank, const REnd& end) {
  if (!rank.is_told) return;
  rank.left.push_back(left_of(rank, end));
  tell(rank.left.back());
}

// --- what it is to do ---

void AgentCore::on_task(Rank& rank, Frame&& frame) {
  rank.on_delivered();
  Rank::Attempt attempt = Rank::attempt_of(frame);
  if (rank.running) {
    rank.next = std::move(frame);
    return;
  }
  if (rank.cancelled == attempt) {
    // Cancelled before its payload was here: nobody waits for a value.
    rank.cancelled.reset();
    Frame answer(Type::finished);
    answer.session = attempt.session;
    answer.task = attempt.task;
    answer.attempt = attempt.attempt;
    answer.rank = rank.number;
    return tell(std::move(answer.with(Key::failed, 1)));
  }
  if (!rank.hears) return;  // its R has just ended
  rank.running = attempt;
  if (frame.kind<TaskKind>() != TaskKind::everywhere) rank.worked = true;
  if (rules_.task_logs) act(action::BeginTaskLog{rank.number});
  pass(rank, std::move(frame));
}

void AgentCore::on_cancel(Rank& rank, const Frame& frame) {
  auto kind = frame.kind<CancelKind>();
  Rank::Attempt attempt = Rank::attempt_of(frame);
  if (kind == CancelKind::kill || kind == CancelKind::kill_for_good) {
    if (kind == CancelKind::kill_for_good) rank.state = State::leaving;
    if (rank.pid) act(action::Kill{*rank.pid});
    return;
  }
  if (rank.running == attempt) {
    // The frame first: an R that has not begun the task finds it when the signal
    // comes, which alone would be taken for one that missed the task before.
    pass(rank, frame);
    if (rank.pid) act(action::Interrupt{*rank.pid});
  } else if (rank.held && Rank::attempt_of(*rank.held) == attempt) {
    rank.held.reset();
  } else {
    rank.cancelled = attempt;
  }
}

}  // namespace tenkai
