#include "process/programs.h"

#include <signal.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "process/log_tail.h"
#include "process/spawn.h"

namespace tenkai {

struct Programs::Running : std::enable_shared_from_this<Programs::Running> {
  explicit Running(asio::any_io_executor executor)
      : in(executor), out(executor), log(std::make_shared<LogTail>(executor)) {}

  void write_next() {
    asio::async_write(in, asio::buffer(waiting.front()),
                      [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
                        if (self->waiting.empty()) return;
                        self->unread -= size;
                        self->waiting.pop_front();
                        if (failed) self->drop_input();
                        if (!self->waiting.empty()) return self->write_next();
                        if (!self->keep_input) self->drop_input();
                      });
  }

  void drop_input() {
    waiting.clear();
    unread = 0;
    boost::system::error_code ignored;
    in.close(ignored);
  }

  void read_output() {
    out.async_wait(asio::posix::stream_descriptor::wait_read,
                   [self = shared_from_this()](boost::system::error_code failed) {
                     if (!failed) failed = self->read_some();
                     if (!failed || failed == asio::error::would_block) self->read_output();
                   });
  }

  boost::system::error_code read_some() {
    boost::system::error_code failed;
    std::size_t size = out.read_some(asio::buffer(buffer), failed);
    if (size > 0 && on_output) on_output(std::string_view(buffer.data(), size));
    return failed;
  }

  // What is in the pipe; a program that floods us has had its say.
  void finish_output() {
    if (!out.is_open()) return;
    for (int i = 0; i < 256 && !read_some(); ++i) continue;
    boost::system::error_code ignored;
    out.close(ignored);
  }

  asio::posix::stream_descriptor in;
  asio::posix::stream_descriptor out;
  std::shared_ptr<LogTail> log;
  std::array<char, 65536> buffer{};
  std::deque<std::string> waiting;
  std::size_t unread = 0;
  bool keep_input = false;
  std::function<void(std::string_view)> on_output;
  OnEnd on_end;
};

Programs::Programs(asio::any_io_executor executor) : executor_(executor), children_(executor) {}

Programs::~Programs() {
  for (const auto& [pid, running] : running_) {
    running->on_output = nullptr;
    running->on_end = nullptr;
  }
}

Result<pid_t> Programs::start(ProgramStart what, OnEnd on_end) {
  Spawn spawned;
  spawned.argv = std::move(what.argv);
  spawned.environment = std::move(what.environment);
  auto input = make_pipe();
  auto output = make_pipe();
  auto log = make_pipe();
  for (const auto* pipe : {&input, &output, &log}) {
    if (!*pipe) return pipe->error();
  }
  spawned.descriptors.emplace_back(input->first.get(), 0);
  spawned.descriptors.emplace_back(what.on_output ? output->second.get() : log->second.get(), 1);
  spawned.inherit_output = what.show_errors;
  if (!what.show_errors) spawned.errors_to = log->second.get();
  Result<pid_t> pid = tenkai::spawn(spawned);
  if (!pid) return pid.error();

  auto running = std::make_shared<Running>(executor_);
  running->on_end = std::move(on_end);
  running->keep_input = what.keep_input;
  running->in.assign(input->second.release());
  running->in.non_blocking(true);
  if (what.on_output) {
    running->on_output = std::move(what.on_output);
    running->out.assign(output->first.release());
    running->out.non_blocking(true);
    running->read_output();
  }
  running->log->read_from(std::move(log->first));
  running_[*pid] = running;
  if (!what.input.empty()) {
    write(*pid, std::move(what.input));
  } else if (!what.keep_input) {
    running->drop_input();
  }
  children_.add(*pid, [this](pid_t ended, const Ended& how) { on_ended(ended, how); });
  return *pid;
}

void Programs::write(pid_t pid, std::string text) {
  auto found = running_.find(pid);
  if (found == running_.end() || !found->second->in.is_open()) return;
  Running& running = *found->second;
  running.unread += text.size();
  running.waiting.push_back(std::move(text));
  if (running.waiting.size() == 1) running.write_next();
}

void Programs::close_input(pid_t pid) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;
  found->second->keep_input = false;
  if (found->second->waiting.empty()) found->second->drop_input();
}

std::size_t Programs::unread(pid_t pid) const {
  auto found = running_.find(pid);
  return found == running_.end() ? 0 : found->second->unread;
}

void Programs::on_ended(pid_t pid, const Ended& how) {
  auto found = running_.find(pid);
  if (found == running_.end()) return;
  std::shared_ptr<Running> running = std::move(found->second);
  running_.erase(found);
  running->finish_output();
  running->log->finish();
  running->drop_input();
  running->on_output = nullptr;
  if (running->on_end) running->on_end({how, running->log->text()});
}

void Programs::signal(pid_t pid, int number) {
  if (holds(pid)) signal_group(pid, number);
}

void Programs::kill_all() {
  for (const auto& [pid, running] : running_) signal_group(pid, SIGKILL);
}

}  // namespace tenkai
