#include "daemon.h"

#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "base/error_code.h"
#include "base/version.h"
#include "baseline.h"
#include "dial.h"
#include "expression_room.h"
#include "forked.h"
#include "global_state.h"
#include "internal.h"
#include "interrupts.h"
#include "mapping.h"
#include "spawn.h"

namespace tenkai {

namespace {

// While one of these lives, R does not look at Ctrl-C.
class NoInterrupts {
 public:
  NoInterrupts() : before_(R_interrupts_suspended) { R_interrupts_suspended = TRUE; }
  ~NoInterrupts() { R_interrupts_suspended = before_; }
  NoInterrupts(const NoInterrupts&) = delete;
  NoInterrupts& operator=(const NoInterrupts&) = delete;

 private:
  Rboolean before_;
};

// While one of these lives, no notice that a job ends soon (SIGUSR1, SIGUSR2) makes R save
// its workspace and quit. Slurm sends it to all processes of a step, and ignoring is what
// the programs that tasks start inherit. Not those of `signal`, the user's choice.
class NoNotices {
 public:
  explicit NoNotices(const Limits& limits) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      struct sigaction ignore {};
      ignore.sa_handler = SIG_IGN;
      bool is_wanted = limits.signal == numbers[i];
      sigaction(numbers[i], is_wanted ? nullptr : &ignore, &before_[i]);
    }
  }
  ~NoNotices() {
    for (std::size_t i = 0; i < numbers.size(); ++i) sigaction(numbers[i], &before_[i], nullptr);
  }
  NoNotices(const NoNotices&) = delete;
  NoNotices& operator=(const NoNotices&) = delete;

 private:
  static constexpr std::array<int, 2> numbers{SIGUSR1, SIGUSR2};
  std::array<struct sigaction, 2> before_;
};

// While one of these lives, SIGINT interrupts, as the dispatcher means it. What a script
// has put into the background is begun with that signal ignored, and R leaves it so from
// 4.5 on.
class Interruptible {
 public:
  Interruptible() {
    sigaction(SIGINT, nullptr, &before_);
    if (before_.sa_handler != SIG_IGN) return;
    struct sigaction interrupt {};
    interrupt.sa_handler = [](int) { R_interrupts_pending = 1; };
    interrupt.sa_flags = SA_RESTART;
    sigaction(SIGINT, &interrupt, nullptr);
  }
  ~Interruptible() {
    if (before_.sa_handler == SIG_IGN) sigaction(SIGINT, &before_, nullptr);
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct sigaction before_;
};

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  if (getrandom(bytes.data(), size, 0) != static_cast<ssize_t>(size))
    throw std::runtime_error("getrandom failed");
  return bytes;
}

constexpr int slice = 100;  // milliseconds between two looks for Ctrl-C

// The only moments at which Ctrl-C counts outside a task. R's daemon() suspends
// interrupts, so that none strikes between two steps of ours.
void look_for_interrupts() {
  R_interrupts_suspended = FALSE;
  check_interrupts();
  R_interrupts_suspended = TRUE;
}

// Calls try_once() until it returns true, with pauses between; interruptible.
template <class Try>
void try_for_ever(Try&& try_once) {
  for (int pause = 50; !try_once(); pause = std::min(2 * pause, 1000)) {
    poll(nullptr, 0, pause);
    look_for_interrupts();
  }
}

int dial_for_ever(const std::string& url) {
  int fd = -1;
  try_for_ever([&] {
    try {
      fd = dial(url);
      return true;
    } catch (const NobodyThere&) {
      return false;
    }
  });
  return fd;
}

// What a task finds, and what is put back when it has ended.
class Cleanup {
 public:
  Cleanup(const Limits& limits, SEXP functions, const Evaluation& evaluation)
      : cleanup_(limits.cleanup),
        evaluation_(evaluation),
        baseline_(VECTOR_ELT(functions, 2), VECTOR_ELT(functions, 3)),
        global_state_(VECTOR_ELT(functions, 5), VECTOR_ELT(functions, 6), VECTOR_ELT(functions, 7)) {
    contained([&] {
      end_time_limits();
      baseline_.take();
      global_state_.take();
    });
  }

  void begin_task() {
    if (cleans_options()) contained([&] { global_state_.begin_task(); });
  }
  void end_task() {
    ExpressionRoom room;
    contained([&] { room.make(); });
    contained([&] {
      if (cleans_options()) global_state_.restore();
      baseline_.restore(evaluation_.keeps_packages() ? cleanup_ & ~Baseline::packages : cleanup_);
    });
    if (!cleans_options()) contained([&] { room.give_back(); });
  }
  // What everywhere() leaves behind is how things are from now on.
  void keep() {
    ExpressionRoom room;
    contained([&] { room.make(); });
    contained([&] { global_state_.take(); });
    contained([&] { room.give_back(); });
    contained([&] { baseline_.take(); });
  }

 private:
  bool cleans_options() const { return (cleanup_ & Baseline::options) != 0; }

  int cleanup_;
  const Evaluation& evaluation_;
  Baseline baseline_;
  GlobalState global_state_;
};

}  // namespace

Daemon::Daemon(std::string url, std::string version, bool stays)
    : Daemon(url, std::move(version), stays ? dial_for_ever(url) : dial(url)) {}

Daemon::Daemon(std::string url, std::string version, int fd)
    : url_(std::move(url)),
      version_(std::move(version)),
      instance_(random_bytes(16)),
      generation_(fork_generation()),
      stream_(std::make_unique<Stream>(fd)) {
  greet();
}

void Daemon::greet() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  stream_->send(Frame(Type::hello)
                    .with(Key::role, static_cast<std::uint64_t>(Role::daemon))
                    .with(Key::version, version_)
                    .with(Key::url, url_)
                    .with(Key::instance, instance_)
                    .with(Key::pid, static_cast<std::uint64_t>(getpid()))
                    .with(Key::host, host));
  // An agent answers when it has reached its dispatcher, which may take it a
  // while; it is the one that knows when to give up.
  while (waiting_.empty() && stream_->is_open()) {
    if (stream_->flush(slice)) {
      stream_->receive(Stream::Wait::no, [this](Frame&& frame) {
        // A first task may come with the same read; it may be large.
        if (frame.type == Type::welcome) stream_->set_limit(max_payload);
        waiting_.push_back(std::move(frame));
      });
    }
    // Who has joined may have a task already, and the interrupt is its.
    if (waiting_.empty()) look_for_interrupts();
  }
  if (waiting_.empty()) {
    throw std::runtime_error(text_of(Code::reset) + ": " + url_ +
                             " ended the connection before it said welcome");
  }
  Frame answer = std::move(waiting_.front());
  waiting_.pop_front();
  if (answer.type != Type::welcome) throw std::runtime_error(answer.text(Key::message));
  std::string theirs = answer.text(Key::version);
  if (!theirs.empty() && !works_with(version_, theirs)) {
    throw std::runtime_error("the tenkai program at " + url_ + " is version " + theirs +
                             ", this package is " + version_ + ": install both from the same release");
  }
}

void Daemon::redial() {
  waiting_.clear();
  try_for_ever([this] {
    try {
      stream_ = std::make_unique<Stream>(dial(url_));
      greet();
      return true;
    } catch (const std::runtime_error&) {
      return false;  // nobody is there yet, or they are not ready for us
    }
  });
}

GoneKind Daemon::run(const Limits& limits, SEXP functions) {
  NoInterrupts quiet;
  NoNotices until_the_end(limits);
  Interruptible always;
  Relay relay(*stream_);
  Evaluation evaluation(functions, &relay);
  Cleanup cleanup(limits, functions, evaluation);
  Meter meter;
  watch_for_end(stream_->fd(), limits.at_end, limits.signal);
  if (done_ == 0) clocks_start_ = Clock::now();

  GoneKind why = GoneKind::connection_ended;
  while (std::optional<Frame> task = next_task(limits, why)) {
    // An interrupt that came while we were idle was meant for the task before, and
    // has missed it, unless a CANCEL says that it was meant for this one.
    bool cancelled = R_interrupts_pending && is_cancelled(*task);
    R_interrupts_pending = 0;
    if (cancelled) {
      answer_cancelled(*task);
      continue;
    }
    if (share_) evaluation.share(std::move(share_->payload), share_->task);
    share_.reset();
    bool everywhere = task->kind<TaskKind>() == TaskKind::everywhere;
    std::optional<Piece> piece;
    if (task->kind<TaskKind>() == TaskKind::elements) piece.emplace(*task, limits.max_tasks - done_);
    cleanup.begin_task();
    relay.name(*task);
    meter.start();
    if (piece) {
      evaluation.run(*piece, [&] {
        cleanup.end_task();
        cleanup.begin_task();
      });
    } else {
      evaluation.run(std::move(task->payload), everywhere);
    }
    // A process that the task forked and left behind is not a daemon.
    if (fork_generation() != generation_) leave_at_once(0);
    bool last = !everywhere && is_over(limits, why, piece ? piece->done() : 1);
    Usage usage = meter.stop();
    last = last || evaluation.is_broken();
    piece ? answer(*task, *piece, usage, last) : answer(*task, evaluation, usage, last);
    // Without a goodbye: another one is started in its place.
    if (evaluation.is_broken()) leave_at_once(1);
    if (last) {
      say_goodbye(why);
      break;
    }
    everywhere ? cleanup.keep() : cleanup.end_task();
    contained([] { unmap_unused(); });
  }
  if (why == GoneKind::connection_ended && !stream_->trouble().empty()) {
    throw std::runtime_error(text_of(Code::reset) + ": the stream from " + url_ +
                             " broke: " + stream_->trouble());
  }
  return why;
}

// The CANCEL was sent before the signal; it may still be on its way behind a large
// payload.
bool Daemon::is_cancelled(const Frame& task) {
  auto names_it = [&task](const Frame& frame) {
    return frame.type == Type::cancel && frame.session == task.session && frame.task == task.task &&
           frame.attempt == task.attempt;
  };
  auto there = [&] { return std::any_of(waiting_.begin(), waiting_.end(), names_it); };
  constexpr int moment = 50;  // milliseconds
  if (!there() && stream_->flush(moment)) {
    stream_->receive(Stream::Wait::no, [this](Frame&& frame) { waiting_.push_back(std::move(frame)); });
  }
  return there();
}

// Nobody waits for a value.
void Daemon::answer_cancelled(const Frame& task) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  stream_->send(frame.with(Key::failed, 1));
  stream_->flush_all();
}

// Whether the task that was just evaluated was the last one.
bool Daemon::is_over(const Limits& limits, GoneKind& why, std::uint64_t tasks) {
  bool clocks_stood = done_ < limits.timer_start;
  done_ += static_cast<double>(tasks);
  if (clocks_stood && done_ >= limits.timer_start) clocks_start_ = Clock::now();
  if (done_ >= limits.max_tasks) {
    why = GoneKind::max_tasks;
    return true;
  }
  if (done_ < limits.timer_start || std::isinf(limits.wall_ms)) return false;
  std::chrono::duration<double, std::milli> lived = Clock::now() - clocks_start_;
  if (lived.count() < limits.wall_ms) return false;
  why = GoneKind::wall_time;
  return true;
}

std::optional<Frame> Daemon::waiting_task(const Limits& limits) {
  while (!waiting_.empty()) {
    Frame frame = std::move(waiting_.front());
    waiting_.pop_front();
    if (frame.type == Type::task) return frame;
    if (frame.type == Type::map) share_ = std::move(frame);
    if (frame.type != Type::bye && frame.type != Type::refused) continue;
    // A daemon that stays takes the end of a session for the end of a
    // connection, unless it is meant as well (kind 1).
    bool stays = limits.at_end == Autoexit::stay && frame.type == Type::bye &&
                 frame.kind<ByeKind>() != ByeKind::end_all;
    dismissed_ = !stays;
    stream_->close();
  }
  return std::nullopt;
}

std::optional<Frame> Daemon::next_task(const Limits& limits, GoneKind& why) {
  Clock::time_point since = Clock::now();
  auto take = [this](Frame&& frame) { waiting_.push_back(std::move(frame)); };
  while (true) {
    if (std::optional<Frame> task = waiting_task(limits)) return task;
    if (dismissed_ || !stream_->is_open()) {
      why = dismissed_ ? GoneKind::dismissed : GoneKind::connection_ended;
      return std::nullopt;
    }
    int milliseconds = patience(limits, since, why);
    if (milliseconds == 0) {
      say_goodbye(why);
      return std::nullopt;
    }
    if (milliseconds < 0 && !limits.interactive) {
      stream_->receive(Stream::Wait::yes, take);
      continue;
    }
    if (limits.interactive) {
      milliseconds = milliseconds < 0 ? slice : std::min(milliseconds, slice);
      look_for_interrupts();
    }
    if (stream_->flush(milliseconds)) stream_->receive(Stream::Wait::no, take);
  }
}

int Daemon::patience(const Limits& limits, Clock::time_point since, GoneKind& why) const {
  if (done_ < limits.timer_start) return -1;
  if (std::isinf(limits.idle_ms) && std::isinf(limits.wall_ms)) return -1;
  Clock::time_point now = Clock::now();
  auto left = [now](Clock::time_point from, double limit) {
    return limit - std::chrono::duration<double, std::milli>(now - from).count();
  };
  double idle = left(std::max(since, clocks_start_), limits.idle_ms);
  double wall = left(clocks_start_, limits.wall_ms);
  double soonest = std::min(idle, wall);
  if (soonest > 0) return static_cast<int>(std::min(std::ceil(soonest), 1e9));
  why = wall <= 0 ? GoneKind::wall_time : GoneKind::idle_time;
  return 0;
}

void Daemon::answer(const Frame& task, Evaluation& evaluation, const Usage& usage, bool last) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  put(frame, usage);
  if (evaluation.failed()) frame.with(Key::failed, 1);
  if (last) frame.with(Key::last, 1);
  if (!evaluation.failure().empty() && task.kind<TaskKind>() == TaskKind::everywhere) {
    frame.with(Key::message, evaluation.failure());
  }
  stream_->send(frame, evaluation.value());
  stream_->flush_all();
  evaluation.value().clear();
}

void Daemon::answer(const Frame& task, Piece& piece, const Usage& usage, bool last) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  frame.with(Key::count, piece.done());
  put(frame, usage);
  if (piece.failed()) frame.with(Key::failed, 1);
  if (piece.interrupted()) frame.with(Key::interrupted, 1);
  if (last) frame.with(Key::last, 1);
  contained([&] { piece.results(); });
  stream_->send(frame, piece.results());
  stream_->flush_all();
}

void Daemon::say_goodbye(GoneKind why) {
  stream_->send(Frame(Type::bye).with_kind(why));
  stream_->close();
}

}  // namespace tenkai
