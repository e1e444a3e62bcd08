#include "process/r_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "base/descriptor.h"
#include "base/text.h"
#include "process/log_tail.h"
#include "process/memory_group.h"
#include "process/spawn.h"
#include "process/temporary_folder.h"

namespace tenkai {
namespace {

bool may_be_read(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return true;  // not there: nothing to read
  return file.st_uid == ::geteuid() && (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// The last lines of what was appended to a file.
std::string last_lines_of(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
  // One byte more, so that it is seen whether the first line is whole.
  off_t begin = std::max<off_t>(0, found.st_size - static_cast<off_t>(LogTail::max_size) - 1);
  std::string text(LogTail::max_size + 1, '\0');
  ssize_t size = ::pread(file.get(), text.data(), text.size(), begin);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  keep_last_lines(text, LogTail::max_size);
  return text;
}

// Whether a process has ended otherwise than R does when all is well.
bool is_violent(const Ended& how) { return how.signal || how.exit_code.value_or(0) != 0; }

}  // namespace

struct RProcesses::Running {
  explicit Running(asio::any_io_executor executor) : log(std::make_shared<LogTail>(executor)) {}

  OnEnd on_end;
  bool own_group = true;
  std::uint64_t oom_kills_before = oom_kills();
  std::string excess;
  std::shared_ptr<LogTail> log;
  std::string log_file;
};

RProcesses::RProcesses(asio::any_io_executor executor) : executor_(executor), children_(executor) {}
RProcesses::~RProcesses() = default;

std::vector<std::string> start_up_options(const std::string& directory) {
  std::vector<std::string> options;
  if (!may_be_read(directory + "/.Rprofile")) options.emplace_back("--no-init-file");
  if (!may_be_read(directory + "/.Renviron")) options.emplace_back("--no-environ");
  return options;
}

Result<pid_t> RProcesses::start(const RStart& what, OnEnd on_end) {
  if (what.call.size() > max_call) {
    return Error{"the call for a daemon has " + std::to_string(what.call.size()) +
                 " bytes, Rscript takes at most " + std::to_string(max_call)};
  }
  Spawn spawned;
  spawned.argv = {what.rscript};
  for (std::string& option : start_up_options(".")) spawned.argv.push_back(std::move(option));
  spawned.argv.insert(spawned.argv.end(), {"-e", what.call});
  spawned.environment = what.environment;
  spawned.inherit_output = what.output && what.log_file.empty();
  if (what.stream >= 0) spawned.descriptors.emplace_back(what.stream, 3);

  auto running = std::make_shared<Running>(executor_);
  std::pair<Descriptor, Descriptor> pipe;
  Descriptor file;
  if (!what.log_file.empty()) {
    file = Descriptor(
        ::open(what.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  }
  if (file) {
    spawned.output_to = spawned.errors_to = file.get();
    running->log_file = what.log_file;
  } else if (!what.output) {
    Result<std::pair<Descriptor, Descriptor>> made = make_pipe();
    if (!made) return made.error();
    pipe = std::move(*made);
    spawned.errors_to = pipe.second.get();
  }
  Result<pid_t> pid = tenkai::spawn(spawned);
  if (!pid) return pid.error();

  running->on_end = std::move(on_end);
  if (pipe.first) running->log->read_from(std::move(pipe.first));
  running_[*pid] = running;
  if (memory_watch_) memory_watch_->add(*pid);
  children_.add(*pid, [this](pid_t ended, const Ended& how) { on_ended(ended, how); });
  return *pid;
}

bool RProcesses::adopt(pid_t pid, OnEnd on_end) {
  auto running = std::make_shared<Running>(executor_);
  running->on_end = std::move(on_end);
  running->own_group = ::getpgid(pid) == pid;
  auto ended = [this](pid_t gone, const Ended& how) { this->on_ended(gone, how); };
  running_[pid] = running;
  if (is_child(pid)) {
    children_.add(pid, ended);
    return true;
  }
  if (children_.watch(pid, ended)) return true;
  running_.erase(pid);
  return false;
}

void RProcesses::limit_memory(std::uint64_t bytes) {
  memory_watch_.emplace(executor_, bytes, [this](pid_t pid, const MemoryUse& use) { on_excess(pid, use); });
}

void RProcesses::on_excess(pid_t pid, const MemoryUse& use) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;
  found->second->excess =
      "it had " + as_memory(use.bytes) + ", and limits.memory allows " + as_memory(memory_watch_->limit());
  kill(pid);
  // Some may have left its group.
  for (pid_t each : use.processes) ::kill(each, SIGKILL);
}

void RProcesses::forget(pid_t pid) {
  if (memory_watch_) memory_watch_->remove(pid);
  children_.forget(pid);
  running_.erase(pid);
}

void RProcesses::on_ended(pid_t pid, const Ended& how) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;
  if (memory_watch_) memory_watch_->remove(pid);
  std::shared_ptr<Running> running = std::move(found->second);
  running_.erase(found);
  // What it has forked would work on beside whoever does the task again. The number of a
  // group is no other's while one of it lives.
  if (running->own_group && is_violent(how)) ::kill(-pid, SIGKILL);
  running->log->finish();
  REnd end;
  end.how = how;
  // Each kill that the kernel counts is put down to one process, the first that
  // ends in this way: a later SIGKILL is somebody else's.
  std::uint64_t before = std::max(running->oom_kills_before, blamed_);
  end.out_of_memory = how.signal == SIGKILL && oom_kills() > before;
  if (end.out_of_memory) blamed_ = before + 1;
  if (how.signal == SIGKILL && !running->excess.empty()) {
    end.out_of_memory = true;
    end.excess = running->excess;
  }
  end.log_tail = running->log_file.empty() ? running->log->text() : last_lines_of(running->log_file);
  if (how.exit_code && end.log_tail.empty()) end.log_tail = trouble_with_temporary_folder();
  running->on_end(pid, end);
}

void RProcesses::signal(pid_t pid, int number) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;
  if (found->second->own_group) {
    signal_group(pid, number);
  } else {
    ::kill(pid, number);
  }
}

void RProcesses::interrupt(pid_t pid) { signal(pid, SIGINT); }
void RProcesses::terminate(pid_t pid) { signal(pid, SIGTERM); }
void RProcesses::kill(pid_t pid) { signal(pid, SIGKILL); }

void RProcesses::kill_all() {
  for (const auto& [pid, running] : running_) {
    if (running->own_group) {
      signal_group(pid, SIGKILL);
    } else {
      ::kill(pid, SIGKILL);
    }
  }
}

}  // namespace tenkai
