#include "relay.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "forked.h"

namespace tenkai {

namespace {

Relay* running = nullptr;

// Between two frames.
constexpr std::chrono::milliseconds pause{20};
// More is not taken in before something has been sent.
constexpr std::size_t enough = 32 * 1024;
static_assert(enough + Relay::max_saying + 8192 <= max_said, "a frame holds all that may wait");

// What C code has written and not flushed; R flushes by itself. It is looked up, since R CMD
// check takes the name for writing to it. To flush all streams would wait for threads that
// read from one.
void flush_output() {
  static auto* output = static_cast<FILE**>(dlsym(RTLD_DEFAULT, "stdout"));
  if (output != nullptr) std::fflush(*output);
}

void write_on(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t put = ::write(fd, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

// A thread that no signal of the process is delivered to: they are R's.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

void close_all(std::initializer_list<int*> descriptors) {
  for (int* each : descriptors) {
    if (*each >= 0) ::close(*each);
    *each = -1;
  }
}

}  // namespace

Relay::Relay(Stream& stream) : stream_(stream), generation_(fork_generation()) {}

Relay::~Relay() {
  if (!thread_.joinable()) return;
  if (fork_generation() != generation_) {
    thread_.detach();  // it is the parent's
    return;
  }
  end();
  {
    std::lock_guard<std::mutex> hold(lock_);
    ends_ = true;
  }
  ring();
  changed_.notify_all();
  thread_.join();
  close_all({&pipe_[0], &pipe_[1], &bell_, &log_});
}

Relay* Relay::current() {
  bool ours = running != nullptr && running->active_ && fork_generation() == running->generation_;
  return ours ? running : nullptr;
}

void Relay::last_words() {
  if (Relay* relay = current()) relay->end();
}

void Relay::name(const Frame& task) {
  said_.session = task.session;
  said_.task = task.task;
  said_.attempt = task.attempt;
  frames_ = place_ = 0;
}

void Relay::at_element(std::uint64_t place) {
  if (current() != this) {
    place_ = place;
    return;
  }
  flush_output();
  {
    std::lock_guard<std::mutex> hold(lock_);
    take_output();
    place_ = place;
  }
  ring();  // the thread finds nothing in the pipe
}

void Relay::open() {
  if (thread_.joinable()) return;
  bell_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bool made = bell_ >= 0 && pipe2(pipe_, O_CLOEXEC) == 0;
  if (!made) {
    int why = errno;
    close_all({&bell_});
    throw std::runtime_error(std::string("what this task says cannot be relayed: ") + std::strerror(why));
  }
  fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
  log_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  static const int registered = std::atexit(last_words);
  static_cast<void>(registered);
  NoSignals for_the_thread;
  thread_ = std::thread([this] { serve(); });
}

void Relay::begin(bool output, bool is_logged) {
  open();
  flush_output();
  std::lock_guard<std::mutex> hold(lock_);
  running = this;
  active_ = true;
  takes_output_ = output && dup2(pipe_[1], STDOUT_FILENO) >= 0;
  is_logged_ = is_logged && log_ >= 0;
}

void Relay::end() {
  // In a process that the task has forked: the stream is its parent's, and the lock may be held.
  if (current() != this) return;
  flush_output();
  std::lock_guard<std::mutex> hold(lock_);
  if (takes_output_) log_ >= 0 ? dup2(log_, STDOUT_FILENO) : ::close(STDOUT_FILENO);
  // A process that the task has left behind may write for ever.
  for (int i = 0; i < 4; ++i) {
    take_output();
    send();
  }
  active_ = takes_output_ = false;
  running = nullptr;
}

void Relay::say(Saying::Kind kind, std::string_view what) {
  flush_output();
  std::unique_lock<std::mutex> hold(lock_);
  auto has_room = [this] { return waiting_.size() < enough && !table_.is_full(); };
  take_output();
  ring();  // what fills the buffer may all have been taken from the pipe here
  changed_.wait(hold, has_room);
  add(kind, what);
  hold.unlock();
  ring();
}

void Relay::ring() { eventfd_write(bell_, 1); }

void Relay::serve() {
  while (true) {
    pollfd watched[] = {{pipe_[0], POLLIN, 0}, {bell_, POLLIN, 0}};
    poll(watched, 2, -1);
    eventfd_t rung = 0;
    if (watched[1].revents != 0) eventfd_read(bell_, &rung);
    std::unique_lock<std::mutex> hold(lock_);
    if (ends_) return;
    take_output();
    changed_.wait_until(hold, sent_at_ + pause, [this] { return ends_; });
    take_output();
    send();
  }
}

// What is written while no task is relayed is of processes that earlier ones left behind.
void Relay::take_output() {
  char piece[8192];
  while (waiting_.size() < enough && !table_.is_full()) {
    ssize_t got = ::read(pipe_[0], piece, sizeof piece);
    if (got <= 0) return;
    std::string_view text(piece, static_cast<std::size_t>(got));
    if (is_logged_) write_on(log_, text);
    if (takes_output_) add(Saying::Kind::output, text);
  }
}

void Relay::add(Saying::Kind kind, std::string_view what) {
  waiting_ += static_cast<char>(kind);
  for (int i = 0; i < 8; ++i) waiting_ += static_cast<char>(place_ >> (8 * i));
  waiting_ += what;
  table_.end_value(waiting_.size());
}

void Relay::send() {
  if (table_.count() == 0) return;
  table_.write([this](const char* bytes, std::size_t size) { waiting_.append(bytes, size); });
  Frame frame = said_;
  frame.with(Key::number, ++frames_);
  frame.payload = make_payload(std::exchange(waiting_, {}));
  stream_.send(frame);
  stream_.flush_all();
  sent_at_ = Clock::now();
  changed_.notify_all();
}

}  // namespace tenkai
