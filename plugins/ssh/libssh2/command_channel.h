// One command on a connection: opened, started, fed, listened to, until it ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "plugins/ssh/libssh2/link.h"

namespace tenkai::ssh {

struct CommandResult {
  bool began = false;   // the host took the command
  std::string failure;  // why not, or what broke afterwards
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string log;  // the last of its output, at most 4 KiB
};

class CommandChannel {
 public:
  using OnBegun = std::function<void()>;
  using OnEnd = std::function<void(CommandResult)>;

  // `keeps_input`: what reads there sees no end of it before that of the channel.
  CommandChannel(std::string command, std::string input, bool keeps_input, OnBegun on_begun, OnEnd on_end)
      : command_(std::move(command)),
        input_(std::move(input)),
        keeps_input_(keeps_input),
        on_begun_(std::move(on_begun)),
        on_end_(std::move(on_end)) {}

  // libssh2 opens one channel at a time. False: wait for bytes, then call again.
  bool open(Link& link);
  // Goes as far as the bytes allow.
  void pump(Link& link);
  // It was cancelled: its channel is closed, on_end is not called.
  void drop();
  bool is_over() const { return step_ == Step::over; }
  // Whether the command may run there, or may have run.
  bool may_run() const { return asked_; }
  LIBSSH2_CHANNEL* release() { return std::exchange(channel_, nullptr); }

 private:
  enum class Step { open, start, feed, end_input, listen, close, over };
  bool step(Link& link);
  bool feed();
  bool listen();
  void finish(std::string failure);

  std::string command_;
  std::string input_;
  bool keeps_input_;
  std::size_t fed_ = 0;
  bool asked_ = false;  // for the command to be run
  OnBegun on_begun_;
  OnEnd on_end_;
  Step step_ = Step::open;
  LIBSSH2_CHANNEL* channel_ = nullptr;  // the connection frees it
  CommandResult result_;
};

// "TERM" → 15; nothing for a name that we do not know.
std::optional<int> signal_of(std::string_view name);

}  // namespace tenkai::ssh
