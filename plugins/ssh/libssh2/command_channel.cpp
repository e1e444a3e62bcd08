#include "plugins/ssh/libssh2/command_channel.h"

#include <signal.h>

#include <array>
#include <cstdlib>

#include "base/text.h"

namespace tenkai::ssh {
namespace {

constexpr std::size_t max_log = 4096;

}  // namespace

bool CommandChannel::open(Link& link) {
  if (step_ != Step::open) return true;
  channel_ = libssh2_channel_open_session(link.session());
  if (channel_ == nullptr && link.would_block()) return false;
  if (channel_ == nullptr) {
    finish(link.error());
  } else {
    step_ = Step::start;
  }
  return true;
}

void CommandChannel::pump(Link& link) {
  while (step_ != Step::open && step_ != Step::over && step(link)) continue;
}

// True where it may go on at once.
bool CommandChannel::step(Link& link) {
  switch (step_) {
    case Step::start: {
      asked_ = true;
      int failed = libssh2_channel_process_startup(channel_, "exec", 4, command_.data(),
                                                   static_cast<unsigned int>(command_.size()));
      if (failed == LIBSSH2_ERROR_EAGAIN) return false;
      if (failed != 0) {
        finish(link.error());
        return true;
      }
      result_.began = true;
      step_ = Step::feed;
      if (on_begun_) on_begun_();
      return true;
    }
    case Step::feed: return feed();
    case Step::end_input:
      if (libssh2_channel_send_eof(channel_) == LIBSSH2_ERROR_EAGAIN) return false;
      step_ = Step::listen;
      return true;
    case Step::listen: return listen();
    case Step::close: {
      int failed = libssh2_channel_wait_closed(channel_);
      if (failed == LIBSSH2_ERROR_EAGAIN) return false;
      finish({});
      return true;
    }
    case Step::open:
    case Step::over: return false;
  }
  return false;
}

bool CommandChannel::feed() {
  while (fed_ < input_.size()) {
    ssize_t taken = libssh2_channel_write(channel_, input_.data() + fed_, input_.size() - fed_);
    if (taken > 0) {
      fed_ += static_cast<std::size_t>(taken);
      continue;
    }
    // Its window is full, and the command may write first; or it is gone already.
    if (taken == 0 || taken == LIBSSH2_ERROR_EAGAIN) return listen();
    break;
  }
  input_.clear();
  step_ = keeps_input_ ? Step::listen : Step::end_input;
  return true;
}

bool CommandChannel::listen() {
  std::array<char, 16384> text;
  for (int stream : {0, SSH_EXTENDED_DATA_STDERR}) {
    ssize_t size = 0;
    while ((size = libssh2_channel_read_ex(channel_, stream, text.data(), text.size())) > 0) {
      result_.log.append(text.data(), static_cast<std::size_t>(size));
      keep_last_lines(result_.log, max_log);
    }
  }
  if (libssh2_channel_eof(channel_) != 1) return false;
  step_ = Step::close;
  return true;
}

void CommandChannel::finish(std::string failure) {
  step_ = Step::over;
  result_.failure = std::move(failure);
  if (channel_ != nullptr && result_.failure.empty()) {
    char* name = nullptr;
    std::size_t size = 0;
    libssh2_channel_get_exit_signal(channel_, &name, &size, nullptr, nullptr, nullptr, nullptr);
    if (name == nullptr) {
      result_.exit_code = libssh2_channel_get_exit_status(channel_);
    } else {
      result_.signal = signal_of({name, size});
      // SSH has no name for some signals, such as SIGXCPU.
      if (!result_.signal)
        result_.failure = "it was killed by a signal that its host calls " + std::string(name, size);
      // Allocated by the session, whose allocator is malloc.
      std::free(name);
    }
  }
  if (auto on_end = std::exchange(on_end_, nullptr)) on_end(std::move(result_));
}

void CommandChannel::drop() {
  on_end_ = nullptr;
  on_begun_ = nullptr;
  step_ = Step::over;
}

std::optional<int> signal_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 13> names{{{"ABRT", SIGABRT},
                                                                    {"ALRM", SIGALRM},
                                                                    {"BUS", SIGBUS},
                                                                    {"FPE", SIGFPE},
                                                                    {"HUP", SIGHUP},
                                                                    {"ILL", SIGILL},
                                                                    {"INT", SIGINT},
                                                                    {"KILL", SIGKILL},
                                                                    {"PIPE", SIGPIPE},
                                                                    {"QUIT", SIGQUIT},
                                                                    {"SEGV", SIGSEGV},
                                                                    {"TERM", SIGTERM},
                                                                    {"USR1", SIGUSR1}}};
  for (const auto& [each, number] : names) {
    if (each == name) return number;
  }
  return std::nullopt;
}

}  // namespace tenkai::ssh
