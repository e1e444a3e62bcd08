#include "process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "process/descriptor_limit.h"

namespace tenkai {
namespace {

// posix_spawn()'s two parameter blocks, freed when done.
struct Actions {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  Actions() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

void reset_signals(posix_spawnattr_t* attributes) {
  sigset_t all;
  sigfillset(&all);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(attributes, &all);
  posix_spawnattr_setsigmask(attributes, &none);
  posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

std::vector<std::string> merged_environment(const Spawn& what) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    std::string_view name = text.substr(0, text.find('='));
    bool replaced = std::any_of(what.environment.begin(), what.environment.end(),
                                [&](const auto& added) { return added.first == name; });
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [name, value] : what.environment) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<std::pair<Descriptor, Descriptor>> two_ends(bool made, const int* ends, const std::string& what) {
  bool none_left = !made && errno == EMFILE;
  if (!made && !none_left) return Error{"cannot make " + what + ": " + std::strerror(errno)};
  std::pair<Descriptor, Descriptor> both;
  if (made) both = std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
  if (none_left || !both.first.may_stay() || !both.second.may_stay()) {
    return Error{out_of_descriptors("no file descriptor is left for " + what)};
  }
  return both;
}

}  // namespace

Result<pid_t> spawn(const Spawn& what) {
  Actions with;
  reset_signals(&with.attributes);
  posix_spawn_file_actions_addopen(&with.actions, 0, "/dev/null", O_RDONLY, 0);
  if (!what.inherit_output) {
    posix_spawn_file_actions_addopen(&with.actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&with.actions, 2, "/dev/null", O_WRONLY, 0);
  }
  if (what.output_to >= 0) posix_spawn_file_actions_adddup2(&with.actions, what.output_to, 1);
  if (what.errors_to >= 0) posix_spawn_file_actions_adddup2(&with.actions, what.errors_to, 2);
  // Through high numbers first: a target may be the source of another one, and
  // dup2() onto itself would leave CLOEXEC on.
  std::vector<Descriptor> copies;
  for (const auto& [ours, theirs] : what.descriptors) {
    copies.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, 64));
    if (!copies.back())
      return Error{"cannot pass descriptor " + std::to_string(ours) + " on: " + std::strerror(errno)};
    posix_spawn_file_actions_adddup2(&with.actions, copies.back().get(), theirs);
  }

  std::vector<std::string> argv = what.argv;
  std::vector<std::string> environment = merged_environment(what);
  pid_t pid = -1;
  int failed = posix_spawnp(&pid, argv.front().c_str(), &with.actions, &with.attributes,
                            pointers(argv).data(), pointers(environment).data());
  if (failed == 0) restore_descriptor_limit(pid);
  if (failed != 0) return Error{"cannot start " + what.argv.front() + ": " + std::strerror(failed)};
  return pid;
}

Result<std::pair<Descriptor, Descriptor>> make_socketpair() {
  int ends[2];
  bool made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
  return two_ends(made, ends, "a pair of sockets");
}

Result<std::pair<Descriptor, Descriptor>> make_pipe() {
  int ends[2];
  bool made = ::pipe2(ends, O_CLOEXEC) == 0;
  return two_ends(made, ends, "a pipe");
}

}  // namespace tenkai
