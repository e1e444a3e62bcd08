#include "plugins/mpi/spawn/rank.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "plugins/mpi/rank_line.h"

namespace tenkai::mpi {
namespace {

constexpr std::size_t max_log = 3500;
// Between TERM and KILL, when whoever holds us is gone.
constexpr int time_to_obey_ms = 3000;

std::string own_node() {
  // Slurm may run several nodes on one host.
  if (const char* node = std::getenv("SLURMD_NODENAME")) return node;
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

void leave_mpi() {
  long most = ::sysconf(_SC_OPEN_MAX);
  for (int each = 3; each < most && each < 65536; ++each) ::close(each);
  std::vector<std::string> names;
  for (char** each = environ; *each != nullptr; ++each) {
    std::string name = std::string(*each).substr(0, std::strcspn(*each, "="));
    if (is_of_rank(name)) names.push_back(std::move(name));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

[[noreturn]] void become(char** argv, int output) {
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::close(nothing);
  ::close(output);
  ::execvp(argv[0], argv);
  int code = errno == ENOENT ? 127 : 126;
  std::string why = errno == ENOENT ? "not found" : std::strerror(errno);
  std::string line = "tenkai-mpi-spawn: " + std::string(argv[0]) + ": " + why + "\n";
  if (::write(2, line.data(), line.size()) < 0) ::_exit(code);
  ::_exit(code);
}

// Until the command has closed its end. Standard error is watched with it: when that
// breaks, mpirun or its helper is gone, and the command must go.
std::string read_log(int output, pid_t pid) {
  std::string log;
  std::array<pollfd, 2> watched{{{output, POLLIN, 0}, {STDERR_FILENO, 0, 0}}};
  int left = -1;
  while (true) {
    int ready = ::poll(watched.data(), watched.size(), left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) ::kill(pid, SIGKILL), left = -1;
    if (watched[1].revents != 0) {
      watched[1].fd = -1;
      ::kill(pid, SIGTERM);
      left = time_to_obey_ms;
    }
    if (watched[0].revents == 0) continue;
    std::array<char, 4096> bytes;
    ssize_t size = ::read(output, bytes.data(), bytes.size());
    if (size <= 0) return log;
    log.append(bytes.data(), static_cast<std::size_t>(size));
    keep_last_lines(log, max_log);
  }
}

}  // namespace

bool is_of_rank(std::string_view variable) {
  // The user's own word to every mpirun.
  if (variable.starts_with("OMPI_ALLOW_RUN_AS_ROOT")) return false;
  for (std::string_view beginning : {"OMPI_", "PMIX_", "ORTE_", "OPAL_"}) {
    if (variable.starts_with(beginning)) return true;
  }
  return false;
}

void tell(std::string_view line) {
  while (!line.empty()) {
    ssize_t size = ::write(STDERR_FILENO, line.data(), line.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(size));
  }
}

int run_rank(std::size_t rank, char** argv) {
  // They come to our whole group, and the command obeys.
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  leave_mpi();
  ::setenv("TENKAI_RANK", std::to_string(rank).c_str(), 1);
  int ends[2];
  pid_t pid = -1;
  if (::pipe2(ends, O_CLOEXEC) == 0) pid = ::fork();
  if (pid == 0) become(argv, ends[1]);
  if (pid < 0) {
    tell(to_line({RankLine::What::ended,
                  rank,
                  std::string("cannot start a process: ") + std::strerror(errno),
                  1,
                  {}}));
    return 1;
  }
  ::close(ends[1]);
  tell(to_line({RankLine::What::started, rank, own_node(), {}, {}}));
  RankLine end{RankLine::What::ended, rank, read_log(ends[0], pid), {}, {}};
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  else end.exit_code = WEXITSTATUS(status);
  tell(to_line(end));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace tenkai::mpi
