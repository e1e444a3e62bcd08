#include "spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

extern char** environ;

namespace tenkai {

namespace {

constexpr int given_fd = 3;  // where a started program finds its socket

std::vector<pid_t>& ended_children() {
  static std::vector<pid_t> children;
  return children;
}

void reap() {
  auto& children = ended_children();
  children.erase(std::remove_if(children.begin(), children.end(),
                                [](pid_t child) { return waitpid(child, nullptr, WNOHANG) != 0; }),
                 children.end());
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> made;
  for (const std::string& text : texts) made.push_back(const_cast<char*>(text.c_str()));
  made.push_back(nullptr);
  return made;
}

std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
  auto name_of = [](const std::string& entry) { return entry.substr(0, entry.find('=')); };
  std::vector<std::string> made;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool changed = std::any_of(changes.begin(), changes.end(),
                               [&](const std::string& change) { return name_of(change) == name_of(*entry); });
    if (!changed) made.push_back(*entry);
  }
  for (const std::string& change : changes) {
    if (change.find('=') != std::string::npos) made.push_back(change);
  }
  return made;
}

struct Pair {
  int ours;
  int theirs;
};

// Both ends close on exec; whoever shall inherit one is told so afterwards.
Pair make_pair_of_sockets() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    throw std::runtime_error(std::string("cannot make a pair of sockets: ") + std::strerror(errno));
  }
  // Large values pass with fewer hand-overs. The kernel cuts this to its limit.
  int size = 1024 * 1024;
  for (int fd : fds) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return {fds[0], fds[1]};
}

// Holds the first 64 KiB, and takes no more: who writes on is told that it is full.
int make_file_for_words() {
  int words = memfd_create("tenkai-errors", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (words < 0) return -1;
  bool bounded = ftruncate(words, 64 * 1024) == 0 && fcntl(words, F_ADD_SEALS, F_SEAL_GROW) == 0;
  if (!bounded) close(std::exchange(words, -1));
  return words;
}

// --- between fork and exec: only what is safe there ---

void close_all_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
  int limit = static_cast<int>(sysconf(_SC_OPEN_MAX));
  for (int fd = first; fd < std::min(limit, 65536); ++fd) close(fd);
}

void reset_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGINT, SIGQUIT, SIGPIPE, SIGHUP, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM}) {
    signal(number, SIG_DFL);
  }
}

[[noreturn]] void become(char* const* argv, char* const* environment, int socket, int report, int words,
                         bool output, Tie tie) {
  if (tie == Tie::none && fork() > 0) leave_at_once(0);
  setsid();
  reset_signals();
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  if (!output) {
    dup2(null, 1);
    dup2(words >= 0 ? words : null, 2);
  }
  // The two descriptors we keep must not be where the other belongs.
  int kept = fcntl(report, F_DUPFD_CLOEXEC, 10);
  int moved = fcntl(socket, F_DUPFD, 10);
  dup2(moved, given_fd);
  dup2(kept, given_fd + 1);
  fcntl(given_fd + 1, F_SETFD, FD_CLOEXEC);
  close_all_from(given_fd + 2);
  execve(argv[0], argv, environment);
  int reason = errno;
  ssize_t ignored = write(given_fd + 1, &reason, sizeof reason);
  static_cast<void>(ignored);
  leave_at_once(127);
}

}  // namespace

void leave_at_once(int code) {
  syscall(SYS_exit_group, code);
  __builtin_unreachable();
}

void fill_standard_descriptors() {
  int null = open("/dev/null", O_RDWR);
  while (null >= 0 && null <= 2) null = open("/dev/null", O_RDWR);
  if (null > 2) close(null);
}

Started start_program(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                      bool output, Tie tie) {
  reap();
  int words = output || tie == Tie::none ? -1 : make_file_for_words();
  Pair pair = make_pair_of_sockets();
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    close(pair.ours);
    close(pair.theirs);
    if (words >= 0) close(words);
    throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  std::vector<std::string> changed = environment_with(environment);
  std::vector<char*> arguments = pointers(argv);
  std::vector<char*> variables = pointers(changed);

  pid_t pid = fork();
  if (pid == 0) become(arguments.data(), variables.data(), pair.theirs, report[1], words, output, tie);
  int failed = errno;
  close(pair.theirs);
  close(report[1]);
  int reason = 0;
  ssize_t told = 0;
  // Ends as soon as exec has closed the other end.
  while (pid > 0 && (told = read(report[0], &reason, sizeof reason)) < 0 && errno == EINTR) continue;
  close(report[0]);
  if (pid > 0 && (tie == Tie::none || told > 0)) waitpid(pid, nullptr, 0);
  if (pid > 0 && told <= 0) return {pid, pair.ours, words};
  close(pair.ours);
  if (words >= 0) close(words);
  throw std::runtime_error("cannot start the program '" + argv[0] +
                           "': " + std::strerror(pid > 0 ? reason : failed));
}

int become_child_of(std::vector<std::string> argv, int source) {
  Pair pair = make_pair_of_sockets();
  pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("cannot fork: ") + std::strerror(errno));
  if (child == 0) {
    close(pair.theirs);
    if (source > 0) close(source);
    if (source == 0) {
      int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
      dup2(null, 0);
      close(null);
    }
    // A group of its own: what its tasks start can then be ended with it, and a
    // terminal's Ctrl-C goes to the agent, which knows what to do.
    setpgid(0, 0);
    return pair.ours;
  }
  setpgid(child, child);  // whichever of the two comes first
  close(pair.ours);
  fcntl(pair.theirs, F_SETFD, 0);
  for (std::string& argument : argv) {
    if (argument == "@PID@") argument = std::to_string(child);
    if (argument == "@FD@") argument = std::to_string(pair.theirs);
  }
  execv(argv[0].c_str(), pointers(argv).data());
  // The child sees the end of the stream and says that there is no agent.
  std::string why = "cannot start the program '" + argv[0] + "': " + std::strerror(errno) + "\n";
  ssize_t ignored = write(2, why.data(), why.size());
  static_cast<void>(ignored);
  leave_at_once(127);
}

namespace {

// Login nodes kill what has used too much of it, with no other word than the signal.
std::string processor_time(const rusage& used) {
  long long micros = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
                     used.ru_stime.tv_usec;
  long long seconds = (micros + 500000) / 1000000;
  return seconds < 1 ? "" : ", after " + std::to_string(seconds) + " s of processor time";
}

}  // namespace

void replace_with(const std::vector<std::string>& argv, int session_fd) {
  if (session_fd >= 0 && session_fd != given_fd && dup2(session_fd, given_fd) < 0) {
    throw std::runtime_error("descriptor " + std::to_string(session_fd) + ": " + std::strerror(errno));
  }
  if (session_fd >= 0) fcntl(given_fd, F_SETFD, 0);
  execv(argv[0].c_str(), pointers(argv).data());
  throw std::runtime_error("cannot start the program '" + argv[0] + "': " + std::strerror(errno));
}

std::string how_it_ended(pid_t child) {
  // The stream ends a moment before the process does.
  for (int tries = 0; tries < 100; ++tries) {
    int status = 0;
    rusage used{};
    pid_t found = wait4(child, &status, WNOHANG, &used);
    if (found < 0) return {};
    if (found == child && WIFSIGNALED(status)) {
      return "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) +
             ")" + processor_time(used);
    }
    if (found == child) return "exited with code " + std::to_string(WEXITSTATUS(status));
    timespec nap{0, 2 * 1000 * 1000};
    nanosleep(&nap, nullptr);
  }
  return {};
}

std::string last_words(int words) {
  constexpr off_t enough = 1000;
  // It has moved on with what was written.
  off_t end = words < 0 ? 0 : lseek(words, 0, SEEK_CUR);
  std::string text(static_cast<std::size_t>(std::min(std::max<off_t>(end, 0), enough)), '\0');
  ssize_t got =
      text.empty() ? 0 : pread(words, text.data(), text.size(), end - static_cast<off_t>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t first = static_cast<off_t>(text.size()) < enough ? 0 : text.find('\n') + 1;
  return text.substr(first);
}

void reap_later(pid_t child) {
  if (child > 0) ended_children().push_back(child);
  reap();
}

}  // namespace tenkai
