#include "process/children.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
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

namespace {

constexpr std::chrono::seconds pause{1};

bool is_there(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

void look_again(const std::shared_ptr<asio::steady_timer>& timer, pid_t pid, Children::OnEnded on_ended) {
  timer->expires_after(pause);
  timer->async_wait([timer, pid, on_ended = std::move(on_ended)](boost::system::error_code failed) {
    if (failed) return;
    if (is_there(pid)) return look_again(timer, pid, on_ended);
    on_ended(pid, Ended{});
  });
}

// Kernels before Linux 5.3 have no pidfd, and some containers allow none.
bool watch_by_looking(const asio::any_io_executor& executor, pid_t pid, Children::OnEnded on_ended) {
  if (!is_there(pid)) return false;
  look_again(std::make_shared<asio::steady_timer>(executor), pid, std::move(on_ended));
  return true;
}

}  // namespace

bool Children::watch(pid_t pid, OnEnded on_ended) {
#ifdef SYS_pidfd_open
  int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (descriptor < 0) return watch_by_looking(executor_, pid, std::move(on_ended));
  auto watched = std::make_shared<asio::posix::stream_descriptor>(executor_, descriptor);
  watched->async_wait(asio::posix::stream_descriptor::wait_read,
                      [watched, pid, on_ended = std::move(on_ended)](boost::system::error_code failed) {
                        if (!failed) on_ended(pid, Ended{});
                      });
  return true;
#else
  return watch_by_looking(executor_, pid, std::move(on_ended));
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
