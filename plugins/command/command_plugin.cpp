#include "plugins/command/command_plugin.h"

#include <signal.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "base/text.h"
#include "launcher/template/shell.h"

namespace tenkai::command {

Result<std::string> command_line(const LaunchRequest& request) {
  std::string inner = shell_command(request.command);
  std::string program = request.option("program");
  if (program.empty()) return inner;
  std::string word = request.option("quote") == "0" ? inner : sh_word(inner);
  auto args = request.options.find("args");
  bool has_place = false;
  std::string line = program;
  if (args != request.options.end()) {
    for (const std::string& each : args->second) {
      line += " " + (each == "." ? word : each);
      has_place = has_place || each == ".";
    }
  }
  if (!has_place)
    return Error{"'.', the place of the daemon's command, is not among the arguments of " + program};
  return line;
}

Result<Rendered> CommandPlugin::render(const LaunchRequest& request) const {
  Result<std::string> line = command_line(request);
  if (!line) return line.error();
  return Rendered{*line};
}

void CommandPlugin::start(const LaunchRequest& request, Answer<Jobs> answer) {
  // Nothing of ours keeps a command alive, so there is nothing to take up again.
  if (request.running) return answer(Error{"the command is not held by this plugin"});
  Result<std::string> line = command_line(request);
  if (!line) return answer(line.error());
  ProgramStart start;
  start.argv = {"/bin/sh", "-c", *line};
  start.input = request.input;
  std::string job = "command-" + std::to_string(++last_);
  Result<pid_t> pid = programs_.start(std::move(start), [this, job](const ProgramEnd& end) {
    running_.erase(job);
    JobReport report;
    report.job = job;
    report.state = JobState::ended;
    report.exit_code = end.how.exit_code;
    report.signal = end.how.signal;
    report.log = end.log;
    tell_(std::move(report));
    check_empty();
  });
  if (!pid) return answer(pid.error());
  running_[job] = Job{*pid, request.stays};
  answer(Jobs{job});
  JobReport report;
  report.job = job;
  report.state = JobState::starting;
  tell_(std::move(report));
}

void CommandPlugin::poll(const std::string& job, Answer<JobReport> answer) {
  JobReport report;
  report.job = job;
  report.state = running_.count(job) != 0 ? JobState::starting : JobState::ended;
  answer(report);
}

void CommandPlugin::cancel(const std::string& job, Answer<Done> answer) {
  auto found = running_.find(job);
  if (found != running_.end()) programs_.signal(found->second.pid, SIGTERM);
  answer(Done{});
}

// The daemons have been told to go, and their commands end with them: that is waited
// for. What has not got as far as a daemon is ended with this program.
void CommandPlugin::close(std::function<void()> done) {
  on_empty_ = std::move(done);
  check_empty();
}

void CommandPlugin::check_empty() {
  bool waits =
      std::any_of(running_.begin(), running_.end(), [](const auto& job) { return !job.second.stays; });
  if (!waits && on_empty_) on_empty_();
}

CommandPlugin::~CommandPlugin() {
  for (const auto& [name, job] : running_) {
    if (!job.stays) programs_.signal(job.pid, SIGKILL);
  }
}

}  // namespace tenkai::command
