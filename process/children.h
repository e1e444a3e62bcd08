// Waits for the processes this program has started, and knows how each ended.
//
// One SIGCHLD handler for the program; only pids that were added are waited
// for. Also watches processes that are not ours, as far as the kernel allows:
// their end is seen, their exit status is not.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

namespace tenkai {

namespace asio = boost::asio;

// How a process ended. Exactly one of the two, or neither where it was not ours.
struct Ended {
  std::optional<int> exit_code;
  std::optional<int> signal;
};

class Children {
 public:
  using OnEnded = std::function<void(pid_t, const Ended&)>;

  explicit Children(asio::any_io_executor executor);

  // A child of this process. on_ended is called once, from the event loop, also
  // when it has ended already. Afterwards the pid is not ours any more.
  void add(pid_t pid, OnEnded on_ended);
  // Any other process (pidfd; without it, before Linux 5.3, it is looked for every second).
  // False where it is gone already.
  bool watch(pid_t pid, OnEnded on_ended);
  void forget(pid_t pid);
  std::size_t size() const { return children_.size(); }
  // Whether a pid is ours and has not been reaped: only then is it safe to signal.
  bool holds(pid_t pid) const { return children_.count(pid) != 0; }

 private:
  void wait_for_signal();
  void reap();

  asio::any_io_executor executor_;
  asio::signal_set signals_;
  std::unordered_map<pid_t, OnEnded> children_;
};

// Whether a process is a child of this one that has not been waited for.
bool is_child(pid_t pid);

// Stops a child: SIGTERM to its group, or SIGKILL. Returns false if it is gone.
bool signal_group(pid_t pid, int signal);

}  // namespace tenkai
