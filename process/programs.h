// Programs of others that this one has started: each gets its input, its output is
// kept in part or handed on, and its end is told.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "process/children.h"

namespace tenkai {

struct ProgramEnd {
  Ended how;
  std::string log;  // the last lines, at most 4 KiB
};

struct ProgramStart {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;
  // For its standard input, which ends behind it; with `keep_input` it stays open for
  // Programs::write(), until Programs::close_input().
  std::string input;
  bool keep_input = false;
  // Called with what it writes to standard output, as it comes. None: what it
  // writes there is kept with what it writes to stderr.
  std::function<void(std::string_view)> on_output;
  // What it writes to stderr goes where ours goes, and is not kept.
  bool show_errors = false;
};

class Programs {
 public:
  using OnEnd = std::function<void(const ProgramEnd&)>;

  // A program that has ended and left its output to a child of its own counts as
  // ended. SIGPIPE must be ignored.
  explicit Programs(asio::any_io_executor executor);
  ~Programs();

  // on_end is called once, from the event loop, when its output has been read.
  Result<pid_t> start(ProgramStart what, OnEnd on_end);
  void write(pid_t pid, std::string text);
  void close_input(pid_t pid);
  // What has been written to it and not taken yet, in bytes.
  std::size_t unread(pid_t pid) const;

  bool holds(pid_t pid) const { return running_.count(pid) != 0; }
  std::size_t size() const { return running_.size(); }
  // To it and what it has started.
  void signal(pid_t pid, int number);
  void kill_all();

 private:
  struct Running;
  void on_ended(pid_t pid, const Ended& how);

  asio::any_io_executor executor_;
  Children children_;
  std::unordered_map<pid_t, std::shared_ptr<Running>> running_;
};

}  // namespace tenkai
