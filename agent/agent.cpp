#include "agent/agent.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "process/spawn.h"
#include "wire/dial.h"

namespace tenkai {
namespace {

constexpr std::chrono::seconds dial_limit{10};
constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{1000};
// A host that answers "nobody listens here" is up, and what listened is not.
constexpr std::chrono::seconds patience_when_refused{5};
constexpr std::chrono::seconds time_to_end{5};
// How long the end of an R's stream is waited for when the process has ended.
constexpr std::chrono::milliseconds wait_for_last_words{500};
constexpr int max_failed_starts = 3;
constexpr std::size_t instance_bytes = 8;  // 16 hexadecimal digits

std::chrono::milliseconds jitter(std::chrono::milliseconds pause) {
  // Many agents that lost one dispatcher should not all call at once.
  unsigned random = static_cast<unsigned>(std::stoul(random_hex(2), nullptr, 16));
  return pause / 2 + pause * random / 65536 / 2;
}

}  // namespace

Agent::Agent(asio::io_context& io, AgentOptions options)
    : io_(io),
      options_(std::move(options)),
      instance_(random_hex(instance_bytes)),
      processes_(io.get_executor()),
      signals_(io),
      retry_timer_(io),
      end_timer_(io) {
  ranks_.resize(options_.daemons);
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    ranks_[i].number = static_cast<std::uint32_t>(i);
    ranks_[i].url = to_string(options_.urls[std::min(i, options_.urls.size() - 1)]);
  }
}

void Agent::start() {
  // A signal that we were started to ignore (nohup) stays ignored.
  for (int number : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction inherited {};
    if (::sigaction(number, nullptr, &inherited) == 0 && inherited.sa_handler != SIG_IGN) signals_.add(number);
  }
  signals_.async_wait([this](boost::system::error_code failed, int number) {
    if (!failed) on_signal(number);
  });
  if (options_.adopt_pid) {
    Rank& rank = ranks_.front();
    rank.pid = *options_.adopt_pid;
    // Where its end cannot be seen, the end of its stream has to do.
    processes_.adopt(*rank.pid, [this](pid_t, const REnd& end) { on_r_ended(0, end); });
    attach(0, options_.adopt_fd);
  }
  dial_dispatcher();
}

// --- the dispatcher ---

void Agent::dial_dispatcher() {
  dial(io_.get_executor(), options_.urls.front(), dial_limit,
       [this](Result<ConnectionPtr> connection) { on_dialled(std::move(connection)); });
}

void Agent::on_dialled(Result<ConnectionPtr> connection) {
  if (ending_) return;
  if (!connection) return retry(connection.error().message);
  greet(*connection);
}

void Agent::greet(const ConnectionPtr& connection) {
  dispatcher_ = connection;
  // Whoever answers at a URL we were given is believed to be the dispatcher.
  connection->set_limit(max_payload);
  connection->start({[this](Frame&& frame) { on_frame(std::move(frame)); },
                     [this, raw = connection.get()](const Connection::End& end) {
                       if (dispatcher_.get() == raw) on_disconnected(end);
                     }});
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  Frame hello(Type::hello);
  hello.with(Key::role, static_cast<std::uint64_t>(Role::agent)).with(Key::version, program_version);
  hello.with(Key::url, ranks_.front().url).with(Key::instance, instance_);
  hello.with(Key::host, host).with(Key::pid, static_cast<std::uint64_t>(::getpid()));
  connection->send(std::move(hello));
  // A tunnel with a dead end, or a stopped dispatcher, takes the call and says nothing.
  retry_timer_.expires_after(dial_limit);
  retry_timer_.async_wait([this, raw = connection.get()](boost::system::error_code cancelled) {
    if (cancelled || welcomed_ || dispatcher_.get() != raw) return;
    dispatcher_->drop("5 | Timed out: connected to " + to_string(options_.urls.front()) + ", but no WELCOME came");
  });
}

void Agent::send(Frame frame) {
  if (welcomed_ && dispatcher_) dispatcher_->send(std::move(frame));
}

void Agent::on_frame(Frame&& frame) {
  if (!welcomed_) {
    if (frame.type == Type::welcome) return on_welcome(frame);
    return give_up(frame.type == Type::refused ? frame.text(Key::message) : "the dispatcher did not say WELCOME");
  }
  if (frame.type == Type::ping) return dispatcher_->send(Frame(Type::pong));
  if (frame.type == Type::pong) return;
  if (frame.rank >= ranks_.size()) return;
  Rank& rank = ranks_[frame.rank];
  switch (frame.type) {
    case Type::welcome:
      rank.accepted = true;
      if (rank.stream) rank.stream->send(Frame(Type::welcome).with(Key::version, program_version));
      return;
    case Type::refused:
      if (rank.stream) rank.stream->send(Frame(Type::refused).with(Key::message, frame.text(Key::message)));
      rank.said_goodbye = true;
      return;
    case Type::task: return on_task(rank, std::move(frame));
    case Type::cancel: return on_cancel(rank, frame);
    case Type::ack: rank.held.reset(); return;
    case Type::bye: return on_goodbye(frame.number(Key::kind) == 1);
    default: return;
  }
}

void Agent::on_welcome(const Frame& frame) {
  welcomed_ = true;
  retry_timer_.cancel();
  patience_ = std::chrono::milliseconds(frame.number(Key::grace_ms, 60000));
  pause_ = std::chrono::milliseconds(0);
  cut_off_since_.reset();
  if (!std::exchange(was_welcomed_, true) && !options_.adopt_pid) return start_daemons();
  for (Rank& rank : ranks_) {
    if (rank.left) send(*rank.left);
    if (rank.up) join(rank);
  }
}

void Agent::on_disconnected(const Connection::End& end) {
  welcomed_ = false;
  dispatcher_ = nullptr;
  if (ending_) return;
  spdlog::warn("the connection to {} is gone: {}", to_string(options_.urls.front()), end.reason);
  retry(end.reason);
}

void Agent::retry(const std::string& why) {
  bool for_ever = options_.autoexit == AgentOptions::Autoexit::stay;
  if (!was_welcomed_ && !for_ever) return give_up(why);
  auto since = cut_off_since_.value_or(Clock::now());
  cut_off_since_ = since;
  bool refused = why.rfind("6 |", 0) == 0 || why.rfind("12 |", 0) == 0;
  auto patience = refused ? std::min<Clock::duration>(patience_when_refused, patience_) : patience_;
  if (!for_ever && Clock::now() - since > patience) return give_up(why);
  retry_timer_.expires_after(jitter(pause_));
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  retry_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled && !ending_) dial_dispatcher();
  });
}

// There is no dispatcher, or it does not want us: the daemons learn why.
void Agent::give_up(const std::string& why) {
  spdlog::error("{}", why);
  if (dispatcher_) dispatcher_->drop(why);
  exit_code_ = 1;
  for (Rank& rank : ranks_) {
    if (rank.stream && !rank.accepted) rank.stream->send(Frame(Type::refused).with(Key::message, why));
  }
  if (!was_welcomed_ && !options_.adopt_pid) {
    std::string line = "tenkai agent: " + printable(why, 5000) + "\n";
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) exit_code_ = 1;
  }
  ending_ = true;
  end_daemons(options_.autoexit != AgentOptions::Autoexit::finish);
}

// --- the daemons ---

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
  start.call = options_.call;
  start.output = options_.output;
  start.stream = pair->second.get();
  rank.started = Clock::now();
  rank.said_goodbye = false;
  Result<pid_t> pid =
      processes_.start(start, [this, number](pid_t, const REnd& end) { on_r_ended(number, end); });
  if (!pid) return give_up(pid.error().message + "; is R installed on this machine, and in PATH?");
  rank.pid = *pid;
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
  if (!rank.running || Rank::attempt_of(frame) != *rank.running) return;
  rank.running.reset();
  frame.rank = number;
  rank.held = frame;
  send(std::move(frame));
  if (rank.next) on_task(rank, std::move(*std::exchange(rank.next, std::nullopt)));
}

void Agent::on_r_hello(std::uint32_t number, const Frame& frame) {
  Rank& rank = ranks_[number];
  if (frame.text(Key::version) != program_version) {
    std::string why = "the R package tenkai is version " + printable(frame.text(Key::version), 40) +
                      ", the program is version " + std::string(program_version) + ": install the same version of both";
    rank.stream->send(Frame(Type::refused).with(Key::message, why));
    return;
  }
  rank.up = true;
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
  send(std::move(frame));
  if (rank.held) send(*rank.held);
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
  rank.stream->send(std::move(frame));
}

void Agent::on_cancel(Rank& rank, const Frame& frame) {
  bool kill = frame.number(Key::kind) == 1;
  Rank::Attempt attempt = Rank::attempt_of(frame);
  if (kill) {
    if (rank.pid) processes_.kill(*rank.pid);
    return;
  }
  if (rank.running == attempt) {
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
  if (!rank.stream) return settle(number);
  auto timer = std::make_shared<asio::steady_timer>(io_, wait_for_last_words);
  timer->async_wait([this, timer, number](boost::system::error_code) { settle(number); });
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
  if (rank.said_goodbye || options_.adopt_pid) {
    if (processes_.size() == 0) on_goodbye(true);
    return;
  }
  if (!was_up && ++rank.failed_starts >= max_failed_starts) {
    return give_up("R for daemon " + std::to_string(number + 1) + " ended " + std::to_string(max_failed_starts) +
                   " times before it was ready; its last lines:\n" + end.log_tail);
  }
  restart_later(number);
}

void Agent::on_r_stream_ended(std::uint32_t number) {
  Rank& rank = ranks_[number];
  rank.stream = nullptr;
  if (rank.ended) return settle(number);
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
  if (!ending_) on_goodbye(false, true);
  finish_if_done();
}

void Agent::report_left(Rank& rank, const REnd& end) {
  Frame frame(Type::left);
  frame.rank = rank.number;
  if (rank.said_goodbye) frame.with(Key::kind, 1);
  if (end.how.exit_code) frame.with(Key::exit_code, static_cast<std::uint64_t>(*end.how.exit_code));
  if (end.how.signal) frame.with(Key::signal, static_cast<std::uint64_t>(*end.how.signal));
  if (end.out_of_memory) frame.with(Key::out_of_memory, 1);
  frame.with(Key::instance, rank.instance);
  if (!end.log_tail.empty()) frame.with(Key::log_tail, end.log_tail);
  rank.left = frame;
  send(std::move(frame));
}

void Agent::restart_later(std::uint32_t number) {
  // At once the first time; a daemon that cannot live must not spin.
  bool quick = Clock::now() - ranks_[number].started < std::chrono::seconds(1);
  auto timer = std::make_shared<asio::steady_timer>(io_, std::chrono::milliseconds(quick ? 500 : 0));
  timer->async_wait([this, timer, number](boost::system::error_code cancelled) {
    if (!cancelled) start_daemon(number);
  });
}

// --- the end ---

void Agent::on_signal(int number) {
  spdlog::info("signal {} came", number);
  if (ending_) return;
  // The tasks are told to be ended from outside, so that they are tried again.
  for (Rank& rank : ranks_) {
    if (!std::exchange(rank.up, false)) continue;
    REnd end;
    end.how.signal = number;
    report_left(rank, end);
  }
  exit_code_ = 128 + number;
  on_goodbye(true);
}

// The dispatcher, or the only R there was, has gone.
void Agent::on_goodbye(bool stop, bool r_is_gone) {
  if (ending_) return;
  if (options_.autoexit == AgentOptions::Autoexit::stay && !stop && !r_is_gone && processes_.size() > 0) {
    // Another dispatcher may come to the same URL.
    welcomed_ = false;
    if (dispatcher_) dispatcher_->drop("the dispatcher said goodbye");
    return;
  }
  ending_ = true;
  retry_timer_.cancel();
  end_daemons(stop || options_.autoexit == AgentOptions::Autoexit::now);
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
