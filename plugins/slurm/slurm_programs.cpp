#include "plugins/slurm/slurm_programs.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "launcher/plugin/slurm_variables.h"
#include "process/own_path.h"

namespace tenkai::slurm {
namespace {

// The answer about 10,000 jobs may have two megabytes.
constexpr std::size_t max_output = std::size_t{64} * 1024 * 1024;

}  // namespace

std::string leave_own_job() {
  const char* job = std::getenv("SLURM_JOB_ID");
  std::string own = job == nullptr ? "" : job;
  std::vector<std::string> names;
  for (char** each = environ; *each != nullptr; ++each) {
    std::string_view variable(*each);
    variable = variable.substr(0, variable.find('='));
    if (is_of_slurm(variable)) names.emplace_back(variable);
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
  return printable(own, 20);
}

struct SlurmPrograms::Running {
  explicit Running(asio::any_io_executor executor) : timer(executor) {}

  Kind kind = Kind::query;
  pid_t pid = 0;
  asio::steady_timer timer;
  SlurmOutcome outcome;
  OnEnd on_end;
};

SlurmPrograms::~SlurmPrograms() {
  for (const std::shared_ptr<Running>& running : running_) programs_.signal(running->pid, SIGKILL);
}

void SlurmPrograms::run(Kind kind, std::vector<std::string> argv, std::chrono::seconds limit, OnEnd on_end) {
  spdlog::debug("runs {}", printable(join(argv, " "), 500));
  auto running = std::make_shared<Running>(executor_);
  running->kind = kind;
  running->on_end = std::move(on_end);
  running->outcome.missing = !is_in_path(argv.front());
  ProgramStart start;
  start.argv = std::move(argv);
  // Else squeue cuts the text for the elements of an array.
  if (kind == Kind::query) start.environment = {{"LC_ALL", "C"}, {"SLURM_BITSTR_LEN", "0"}};
  start.on_output = [running](std::string_view text) {
    if (running->outcome.output.size() < max_output) running->outcome.output += text;
  };
  Result<pid_t> pid = Error{"it is not there"};
  if (!running->outcome.missing) {
    pid = programs_.start(std::move(start), [this, running](const ProgramEnd& end) { finish(running, end); });
  }
  running_.push_back(running);
  if (!pid) {
    running->outcome.errors = pid.error().message;
    asio::post(executor_, [this, running] { finish(running, {}); });
    return;
  }
  running->pid = *pid;
  running->timer.expires_after(limit);
  running->timer.async_wait([this, running](boost::system::error_code cancelled) {
    if (cancelled) return;
    running->outcome.timed_out = true;
    programs_.signal(running->pid, SIGKILL);
  });
}

void SlurmPrograms::finish(const std::shared_ptr<Running>& running, const ProgramEnd& end) {
  std::erase(running_, running);
  running->timer.cancel();
  SlurmOutcome& outcome = running->outcome;
  outcome.exit_code = end.how.exit_code;
  outcome.signal = end.how.signal;
  if (!end.log.empty()) outcome.errors = end.log;
  if (!outcome.is_good()) spdlog::debug("ended badly: {}", printable(outcome.errors, 500));
  OnEnd on_end = std::move(running->on_end);
  on_end(outcome);
}

void SlurmPrograms::stop(Kind kind) {
  for (const std::shared_ptr<Running>& running : running_) {
    if (running->kind != kind) continue;
    running->outcome.timed_out = true;
    programs_.signal(running->pid, SIGKILL);
  }
}

}  // namespace tenkai::slurm
