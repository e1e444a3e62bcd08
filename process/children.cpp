#include "process/children.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

namespace tenkai {

Children::Children(asio::any_io_executor executor) : executor_(executor), signals_(executor, SIGCHLD) {
  wait_for_signal();
}

void Children::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code failed, int) {
    if (failed) return;
    reap();
    wait_for_signal();
  });
}

void Children::add(pid_t pid, OnEnded on_ended) {
  children_[pid] = std::move(on_ended);
  // It may have ended before it was added; its signal would then be over.
  asio::post(executor_, [this] { reap(); });
}

void Children::forget(pid_t pid) { children_.erase(pid); }

void Children::reap() {
  std::vector<std::pair<pid_t, Ended>> ended;
  for (const auto& [pid, on_ended] : children_) {
    int status = 0;
    pid_t got = ::waitpid(pid, &status, WNOHANG);
    if (got == 0) continue;
    Ended how;
    if (got == pid && WIFEXITED(status)) how.exit_code = WEXITSTATUS(status);
    if (got == pid && WIFSIGNALED(status)) how.signal = WTERMSIG(status);
    if (got == pid && !how.exit_code && !how.signal) continue;  // stopped, not ended
    ended.emplace_back(pid, how);
  }
  for (const auto& [pid, how] : ended) {
    auto found = children_.find(pid);
    if (found == children_.end()) continue;
    OnEnded on_ended = std::move(found->second);
    children_.erase(found);
    on_ended(pid, how);
  }
}

bool Children::watch(pid_t pid, OnEnded on_ended) {
#ifdef SYS_pidfd_open
  int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return false;
  auto watched = std::make_shared<asio::posix::stream_descriptor>(executor_, descriptor);
  watched->async_wait(asio::posix::stream_descriptor::wait_read,
                      [watched, pid, on_ended = std::move(on_ended)](boost::system::error_code failed) {
                        if (!failed) on_ended(pid, Ended{});
                      });
  return true;
#else
  (void)pid;
  (void)on_ended;
  return false;
#endif
}

bool is_child(pid_t pid) {
  siginfo_t unused{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &unused, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool signal_group(pid_t pid, int signal) {
  // Right after the fork the child may not be a group leader yet.
  return ::kill(-pid, signal) == 0 || ::kill(pid, signal) == 0;
}

}  // namespace tenkai
