// The agent's side towards its R processes: starting them, carrying frames to and
// from them, and their ends.
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/agent.h"
#include "agent/devices.h"
#include "agent/task_log.h"
#include "base/random_stream.h"
#include "base/text.h"
#include "base/version.h"
#include "process/r_log.h"
#include "process/spawn.h"

namespace tenkai {
namespace {

constexpr std::chrono::seconds time_to_end{5};
// How long the end of an R's stream is waited for when the process has ended.
constexpr std::chrono::milliseconds wait_for_last_words{500};
// A job is ended by a SIGTERM to all in it. Where R is the first to die of it, ours is
// on its way, and it is the job's end that has to be told, not R's.
constexpr std::chrono::seconds wait_for_signal_of_job{2};
constexpr int max_failed_starts = 3;
constexpr std::chrono::milliseconds pause_of_start{500};

std::uint64_t time_left(std::chrono::system_clock::time_point end) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::system_clock::now());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace

void Agent::start_daemons() {
  for (Rank& rank : ranks_) start_daemon(rank.number);
}

void Agent::start_daemon(std::uint32_t number) {
  if (ending_) return;
  Rank& rank = ranks_[number];
  Result<std::pair<Descriptor, Descriptor>> pair = make_socketpair();
  if (!pair) return give_up(pair.error().message);
  RStart start;
  start.rscript = options_.rscript;
  std::optional<RandomStream> stream;
  if (number < options_.streams.size()) stream = substream(options_.streams[number], rank.starts);
  ++rank.starts;
  start.call = daemon_call("fd:3", "", options_.daemon, stream);
  start.output = options_.output;
  start.stream = pair->second.get();
  // Else a start-up file that calls daemons() would do so in each of them.
  start.environment.emplace_back("TENKAI_DAEMON_STARTS", "1");
  if (options_.in_job) {
    for (auto& variable : device_variables(number, ranks_.size())) start.environment.push_back(variable);
  }
  if (!options_.logs.empty()) {
    // Numbered through all agents of the job, as the daemons of the session are.
    std::size_t daemon = options_.first_daemon + number + 1;
    rank.log = options_.logs + "/" + options_.log_name + "daemon-" + std::to_string(daemon);
    start.log_file = rank.log + ".log";
  }
  rank.said_goodbye = rank.worked = false;
  rank.up_since.reset();
  Result<pid_t> pid =
      processes_.start(start, [this, number](pid_t, const REnd& end) { on_r_ended(number, end); });
  if (!pid) return give_up(pid.error().message + "; is R installed on this machine, and in PATH?");
  rank.pid = *pid;
  rank.life = Rank::Life::alive;
  attach(number, pair->first.release());
}

void Agent::attach(std::uint32_t number, int descriptor) {
  Rank& rank = ranks_[number];
  rank.stream = adopt_socket(io_.get_executor(), descriptor, "R " + std::to_string(number));
  rank.stream->set_limit(max_payload);
  rank.stream->start({[this, number](Frame&& frame) { on_r_frame(number, std::move(frame)); },
                      [this, number, raw = rank.stream.get()](const Connection::End&) {
                        if (ranks_[number].stream.get() == raw) on_r_stream_ended(number);
                      }});
}

void Agent::on_r_frame(std::uint32_t number, Frame&& frame) {
  Rank& rank = ranks_[number];
  switch (frame.type) {
    case Type::hello: return on_r_hello(number, frame);
    case Type::bye:
      // It runs nothing more; what crosses this on its way has not started.
      rank.said_goodbye = true;
      if (std::exchange(rank.up, false)) report_left(rank, REnd{});
      return;
    case Type::finished: break;
    default: return;
  }
  if (!rank.running || Rank::attempt_of(frame) != *rank.running || handed_back_) return;
  rank.running.reset();
  // What R writes it has written before it answers.
  if (options_.task_logs && !rank.log.empty()) {
    copy_end_of_log(rank.log + ".log", rank.log_begin,
                    rank.log + "-task-" + std::to_string(frame.task) + ".log");
  }
  frame.rank = number;
  rank.held = frame;
  send(std::move(frame));
  if (rank.next) on_task(rank, std::move(*std::exchange(rank.next, std::nullopt)));
}

void Agent::on_r_hello(std::uint32_t number, const Frame& frame) {
  Rank& rank = ranks_[number];
  if (frame.text(Key::version) != program_version) {
    std::string why = "the R package tenkai is version " + printable(frame.text(Key::version), 40) +
                      ", the program is version " + std::string(program_version) +
                      ": install the same version of both";
    rank.refused = true;
    rank.stream->send(Frame(Type::refused).with(Key::message, why));
    return;
  }
  rank.up = true;
  rank.up_since = Clock::now();
  rank.failed_starts = 0;
  rank.instance = frame.text(Key::instance);
  if (welcomed_) join(rank);
}

void Agent::join(Rank& rank) {
  Frame frame(Type::join);
  frame.rank = rank.number;
  if (auto holds = rank.holds()) {
    frame.session = holds->session;
    frame.task = holds->task;
    frame.attempt = holds->attempt;
  }
  frame.with(Key::url, rank.url).with(Key::instance, rank.instance);
  if (rank.pid) frame.with(Key::pid, static_cast<std::uint64_t>(*rank.pid));
  if (options_.job_end) frame.with(Key::time_left_ms, time_left(*options_.job_end));
  send(std::move(frame));
  if (rank.held) send(*rank.held);
  if (is_draining_) tell_drain(rank);
}

void Agent::tell_drain(const Rank& rank) {
  Frame frame(Type::left);
  frame.rank = rank.number;
  send(std::move(frame.with(Key::instance, rank.instance).with_kind(LeftKind::drains)));
}

void Agent::on_task(Rank& rank, Frame&& frame) {
  rank.held.reset();
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
    return send(std::move(answer.with(Key::failed, 1)));
  }
  if (!rank.stream) return;  // its R has just ended; LEFT is on its way
  rank.running = attempt;
  if (frame.kind<TaskKind>() == TaskKind::plain) rank.worked = true;
  if (options_.task_logs && !rank.log.empty()) rank.log_begin = size_of_file(rank.log + ".log");
  rank.stream->send(std::move(frame));
}

void Agent::on_cancel(Rank& rank, const Frame& frame) {
  auto kind = frame.kind<CancelKind>();
  Rank::Attempt attempt = Rank::attempt_of(frame);
  if (kind == CancelKind::kill || kind == CancelKind::kill_for_good) {
    if (kind == CancelKind::kill_for_good) rank.said_goodbye = true;
    if (rank.pid) processes_.kill(*rank.pid);
    return;
  }
  if (rank.running == attempt) {
    // The frame first: an R that has not begun the task finds it when the signal
    // comes, which alone would be taken for one that missed the task before.
    if (rank.stream) rank.stream->send(frame);
    if (rank.pid) processes_.interrupt(*rank.pid);
  } else if (rank.held && Rank::attempt_of(*rank.held) == attempt) {
    rank.held.reset();
  } else {
    rank.cancelled = attempt;
  }
}

void Agent::on_r_ended(std::uint32_t number, const REnd& end) {
  Rank& rank = ranks_[number];
  rank.pid.reset();
  rank.ended = end;
  if (options_.adopt_pid) exit_code_ = end.how.exit_code.value_or(128 + end.how.signal.value_or(0));
  bool of_job = may_be_end_of_job(end);
  if (!rank.stream && !of_job) return settle(number);
  auto timer =
      std::make_shared<asio::steady_timer>(io_, of_job ? wait_for_signal_of_job : wait_for_last_words);
  timer->async_wait([this, timer, number](boost::system::error_code) { settle(number); });
}

bool Agent::may_be_end_of_job(const REnd& end) const {
  return options_.in_job && !ending_ && end.how.signal == SIGTERM;
}

// The process and its stream are both at their end.
void Agent::settle(std::uint32_t number) {
  Rank& rank = ranks_[number];
  if (!rank.ended) return;
  REnd end = *std::exchange(rank.ended, std::nullopt);
  bool was_up = std::exchange(rank.up, false);
  if (was_up) report_left(rank, end);
  if (rank.stream) rank.stream->drop("its R has ended");
  rank.stream = nullptr;
  rank.running.reset();
  rank.next.reset();
  rank.accepted = false;
  if (ending_) return finish_if_done();
  if (rank.said_goodbye || options_.adopt_pid || is_draining_) return be_over(rank);
  bool hopeless = rank.refused || misses_package(end.log_tail);
  std::string lines = (end.excess.empty() ? "" : ": " + end.excess) + "; its last lines:\n" + end.log_tail;
  std::string name = "R for daemon " + std::to_string(number + 1) + " ended ";
  if (!was_up) {
    bool once = ++rank.failed_starts == 1;
    std::string often = once ? "" : std::to_string(rank.failed_starts) + " times ";
    std::string why = name + often + "before it was ready" + lines;
    if (hopeless) give_up_unless_up(ranks_);
    if (hopeless || rank.failed_starts >= max_failed_starts) return leave_down(rank, end, why);
    return restart_after(number, once ? std::chrono::milliseconds(0) : pause_of_start);
  }
  auto pause = rank.restarts.on_ended(Clock::now(), rank.up_since, rank.worked);
  if (pause) return restart_after(number, *pause);
  std::string often = std::to_string(rank.restarts.failures()) + " times in a row with nothing done";
  leave_down(rank, end, name + often + lines);
}

// It has gone as it should. With the last one nothing is left to do.
void Agent::be_over(Rank& rank) {
  rank.life = Rank::Life::over;
  if (all_are_over(ranks_)) on_goodbye(true);
}

// The dispatcher is told, which can tell the session. The other daemons go on; where
// there are none, nothing is left to do.
void Agent::leave_down(Rank& rank, const REnd& end, const std::string& why) {
  rank.life = Rank::Life::over;
  tell_given_up(rank, end);
  if (all_are_over(ranks_)) return end_without_r(end, why);
  spdlog::error("{}", why);
  complain(why + "\nIt is not started again; the other daemons go on");
}

void Agent::tell_given_up(Rank& rank, const REnd& end) {
  Frame frame = left_of(rank, end);
  frame.with_kind(LeftKind::given_up).with(Key::url, rank.url);
  if (rank.failed_starts > 0) frame.with(Key::failed, static_cast<std::uint64_t>(rank.failed_starts));
  rank.given_up = frame;
  send(std::move(frame));
}

void Agent::end_without_r(const REnd& end, const std::string& why) {
  spdlog::error("{}", why);
  complain(why);
  // Who has started us would know how R has ended.
  int how = end.how.exit_code.value_or(128 + end.how.signal.value_or(0));
  exit_code_ = how == 0 ? 1 : how;
  on_goodbye(true);
}

void Agent::on_r_stream_ended(std::uint32_t number) {
  Rank& rank = ranks_[number];
  rank.stream = nullptr;
  if (rank.ended && !may_be_end_of_job(*rank.ended)) return settle(number);
  if (!options_.adopt_pid) return;
  // An adopted R may live on without its stream; if it has ended, its exit status
  // says more, and comes in a moment.
  auto timer = std::make_shared<asio::steady_timer>(io_, wait_for_last_words);
  timer->async_wait([this, timer, number](boost::system::error_code) { leave_adopted(number); });
}

// An R that we have not started goes on with other things: it is no daemon any
// more, and not ours to end. Where we have taken its place (it is our child), we
// wait for it and end as it does; beside an interactive one we just go.
void Agent::leave_adopted(std::uint32_t number) {
  Rank& rank = ranks_[number];
  if (!rank.pid) return;
  if (std::exchange(rank.up, false)) report_left(rank, REnd{});
  if (!is_child(*rank.pid)) {
    processes_.forget(*rank.pid);
    rank.pid.reset();
  }
  rank.life = Rank::Life::over;
  if (!ending_) on_goodbye(false);
  finish_if_done();
}

Frame Agent::left_of(const Rank& rank, const REnd& end) const {
  Frame frame(Type::left);
  frame.rank = rank.number;
  if (rank.said_goodbye) frame.with_kind(LeftKind::goodbye);
  if (end.how.exit_code) frame.with(Key::exit_code, static_cast<std::uint64_t>(*end.how.exit_code));
  if (end.how.signal) frame.with(Key::signal, static_cast<std::uint64_t>(*end.how.signal));
  if (end.out_of_memory) frame.with(Key::out_of_memory, 1);
  frame.with(Key::instance, rank.instance);
  if (!end.excess.empty()) frame.with(Key::message, end.excess);
  if (!end.log_tail.empty()) frame.with(Key::log_tail, end.log_tail);
  return frame;
}

void Agent::report_left(Rank& rank, const REnd& end) {
  rank.left = left_of(rank, end);
  send(*rank.left);
}

void Agent::restart_after(std::uint32_t number, std::chrono::milliseconds pause) {
  ranks_[number].life = Rank::Life::to_be_started;
  auto timer = std::make_shared<asio::steady_timer>(io_, pause);
  timer->async_wait([this, timer, number](boost::system::error_code cancelled) {
    if (!cancelled && ranks_[number].life == Rank::Life::to_be_started) start_daemon(number);
  });
}

// --- the end ---

void Agent::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code failed, int number) {
    if (failed) return;
    bool is_notice = number == SIGUSR1 || number == SIGUSR2;
    is_notice ? on_notice(number) : on_signal(number);
    wait_for_signal();
  });
}

// A batch system says that our job ends soon (--signal of Slurm). The dispatcher sends
// our daemons away when they have done what they do, and we end with the last of them. By
// one of them it knows that all are meant.
void Agent::on_notice(int number) {
  spdlog::info("signal {} came: the job ends soon", number);
  if (ending_ || std::exchange(is_draining_, true)) return;
  auto up = std::find_if(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.up; });
  if (up != ranks_.end()) tell_drain(*up);
  if (was_welcomed_) give_up_starts(ranks_);
  if (all_are_over(ranks_)) on_goodbye(true);
}

void Agent::on_signal(int number) {
  spdlog::info("signal {} came", number);
  if (ending_) return;
  // The tasks are told to be ended from outside, so that they are tried again.
  for (Rank& rank : ranks_) {
    if (!std::exchange(rank.up, false)) continue;
    REnd end;
    end.how.signal = number;
    // In a job the signal is for all of them, and the dispatcher can learn why.
    if (options_.in_job) send(left_of(rank, end).with_kind(LeftKind::job_ends));
    else report_left(rank, end);
  }
  handed_back_ = true;
  exit_code_ = 128 + number;
  on_goodbye(true);
}

// The dispatcher has gone, or the last R that there was or would have been.
void Agent::on_goodbye(bool stop) {
  if (ending_) return;
  if (options_.autoexit == Autoexit::stay && !stop && !all_are_over(ranks_)) {
    // Another dispatcher may come to the same URL.
    welcomed_ = false;
    if (dispatcher_) dispatcher_->drop("the dispatcher said goodbye");
    return;
  }
  ending_ = true;
  dial_timer_.cancel();
  end_daemons(stop || options_.autoexit == Autoexit::now);
}

void Agent::end_daemons(bool interrupt) {
  for (Rank& rank : ranks_) {
    if (rank.stream) rank.stream->send(Frame(Type::bye));
    if (interrupt && rank.running && rank.pid) processes_.interrupt(*rank.pid);
  }
  if (interrupt) {
    end_timer_.expires_after(time_to_end);
    end_timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled) insist();
    });
  }
  finish_if_done();
}

// Ends what did not obey, but no R that is not a daemon of ours any more.
void Agent::insist() {
  for (Rank& rank : ranks_) {
    if (!rank.pid) continue;
    bool ours = !options_.adopt_pid || (rank.stream && is_child(*rank.pid));
    if (ours) {
      processes_.kill(*rank.pid);
    } else if (!is_child(*rank.pid)) {
      processes_.forget(*rank.pid);
      rank.pid.reset();
    }
  }
  finish_if_done();
}

void Agent::finish_if_done() {
  if (!ending_ || processes_.size() > 0 || std::exchange(finished_, true)) return;
  if (dispatcher_) {
    dispatcher_->send(Frame(Type::bye));
    dispatcher_->close();
  }
  // One more turn for what is waiting to be written.
  end_timer_.expires_after(std::chrono::milliseconds(20));
  end_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) io_.stop();
  });
}

}  // namespace tenkai
