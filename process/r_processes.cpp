#include "process/r_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "process/memory_group.h"
#include "process/spawn.h"

namespace tenkai {
namespace {

constexpr std::size_t max_tail = 4096;

bool may_be_read(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return true;  // not there: nothing to read
  return file.st_uid == ::geteuid() && (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// Cuts the front so that whole lines are left.
void keep_tail(std::string& log) {
  if (log.size() <= max_tail) return;
  std::size_t line = log.find('\n', log.size() - max_tail);
  log.erase(0, line == log.npos ? log.size() - max_tail : line + 1);
}

}  // namespace

struct RProcesses::Running {
  Running(asio::any_io_executor executor) : log_pipe(executor) {}

  // Takes from the pipe what is there.
  boost::system::error_code read_some() {
    boost::system::error_code failed;
    std::size_t size = log_pipe.read_some(asio::buffer(buffer), failed);
    log.append(buffer.data(), size);
    keep_tail(log);
    return failed;
  }

  OnEnd on_end;
  bool own_group = true;
  std::uint64_t oom_kills_before = oom_kills();
  asio::posix::stream_descriptor log_pipe;
  std::array<char, 1024> buffer{};
  std::string log;
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
  spawned.inherit_output = what.output;
  if (what.stream >= 0) spawned.descriptors.emplace_back(what.stream, 3);

  auto running = std::make_shared<Running>(executor_);
  std::pair<Descriptor, Descriptor> pipe;
  if (!what.output) {
    Result<std::pair<Descriptor, Descriptor>> made = make_pipe();
    if (!made) return made.error();
    pipe = std::move(*made);
    spawned.errors_to = pipe.second.get();
  }
  Result<pid_t> pid = tenkai::spawn(spawned);
  if (!pid) return pid.error();

  running->on_end = std::move(on_end);
  if (pipe.first) {
    running->log_pipe.assign(pipe.first.release());
    running->log_pipe.non_blocking(true);
    read_log(running);
  }
  running_[*pid] = running;
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

void RProcesses::forget(pid_t pid) {
  children_.forget(pid);
  running_.erase(pid);
}

void RProcesses::read_log(const std::shared_ptr<Running>& running) {
  // It waits here and reads there: bytes that were read, and whose handler has not
  // run when the process ends, would be missing from its last words.
  running->log_pipe.async_wait(asio::posix::stream_descriptor::wait_read,
                               [this, running](boost::system::error_code failed) {
                                 if (!failed) failed = running->read_some();
                                 if (!failed || failed == asio::error::would_block) read_log(running);
                               });
}

void RProcesses::on_ended(pid_t pid, const Ended& how) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;
  std::shared_ptr<Running> running = std::move(found->second);
  running_.erase(found);
  if (running->log_pipe.is_open()) {
    // What is still in the pipe; not what its own children may yet write.
    for (int i = 0; i < 64 && !running->read_some(); ++i) continue;
    boost::system::error_code ignored;
    running->log_pipe.close(ignored);
  }
  REnd end;
  end.how = how;
  // Each kill that the kernel counts is put down to one process, the first that
  // ends in this way: a later SIGKILL is somebody else's.
  std::uint64_t before = std::max(running->oom_kills_before, blamed_);
  end.out_of_memory = how.signal == SIGKILL && oom_kills() > before;
  if (end.out_of_memory) blamed_ = before + 1;
  end.log_tail = std::move(running->log);
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
