#include "plugins/mpi/mpi_plugin.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

#include "launcher/plugin/failure.h"
#include "launcher/template/environment.h"
#include "plugins/mpi/lacks.h"
#include "process/own_path.h"

namespace tenkai::mpi {
namespace {

using std::chrono::milliseconds;

// Agents hear of the end from their dispatcher, too, and end their R first.
constexpr milliseconds time_to_go{1500};
// Between TERM and KILL. mpirun gives its processes two seconds. All of it is within the
// six that a plugin has after the session.
constexpr milliseconds time_to_obey{3500};
// For mpirun to see that its last process has ended.
constexpr milliseconds time_to_notice{5000};

// The processes tell on standard error, which is to be heard line by line. Within a job,
// agents want to know when that ends: where Slurm does not say so by itself (before
// 23.02), it is asked once.
std::string runner() {
  return std::string(asked_end_of_job()) + R"sh(
if [ -n "${SLURM_JOB_ID-}" ] && [ -z "${SLURM_JOB_END_TIME-}${TENKAI_JOB_END-}" ]; then
  end=$(asked_end_of_job) && export TENKAI_JOB_END="$end"
fi
exec "$@" 2>&1
)sh";
}

MpiPlace own_place() {
  const char* tmp = std::getenv("TMPDIR");
  return {own_interfaces(), spawn_program(), tmp == nullptr || *tmp != '/' ? "/tmp" : tmp};
}

bool is_there(const std::string& program) {
  return program.find('/') == program.npos ? is_in_path(program) : ::access(program.c_str(), X_OK) == 0;
}

}  // namespace

struct MpiPlugin::Run {
  Run(asio::any_io_executor executor, const Jobs& jobs, const LaunchRequest& request)
      : ranks(jobs), stays(request.stays), finishes(request.finishes), timer(executor) {}

  // Whether it is not ours to end with the session.
  bool goes_on() const { return over || stays || (finishes && ranks.all_started()); }

  MpiRanks ranks;
  bool stays;
  bool finishes;
  pid_t pid = 0;
  bool over = false;
  bool ending = false;
  asio::steady_timer timer;
};

MpiPlugin::MpiPlugin(asio::any_io_executor executor, Tell tell)
    : executor_(executor), tell_(std::move(tell)), programs_(executor) {}

MpiPlugin::~MpiPlugin() {
  for (const auto& [job, run] : runs_) {
    if (!run->goes_on()) programs_.signal(run->pid, SIGKILL);
  }
}

Result<Rendered> MpiPlugin::render(const LaunchRequest& request) const {
  Result<MpiCommand> command = mpi_command(request, own_place());
  if (!command) return command.error();
  return Rendered{shown(*command)};
}

// --- start ---

Plugin::Jobs MpiPlugin::names_for(const LaunchRequest& request) const {
  Jobs jobs;
  for (std::size_t i = 0; i < request.agents; ++i) {
    jobs.push_back("mpi-" + std::to_string(request.number) + "." + std::to_string(i));
  }
  return jobs;
}

void MpiPlugin::refuse(const Jobs& jobs, FailureCause cause, const std::string& message) {
  for (const std::string& job : jobs) {
    JobReport report;
    report.job = job;
    report.state = JobState::failed;
    report.cause = cause;
    report.message = message;
    tell_(std::move(report));
  }
}

void MpiPlugin::start(const LaunchRequest& request, Answer<Jobs> answer) {
  // mpirun runs on without us, and ends with the last of its processes.
  if (request.running) return answer(request.jobs);
  Result<MpiCommand> command = mpi_command(request, own_place());
  if (!command) return answer(command.error());
  Jobs jobs = names_for(request);
  std::string missing;
  if (!is_there(spawn_program())) {
    missing =
        "this installation of tenkai was built without Open MPI 4, so there is no " + spawn_program() +
        ": install version 4 (5 calls its settings by other names) with its headers, and build tenkai again, "
        "or launch by srun or SSH";
  } else if (!is_there(command->argv.front())) {
    missing = "'" + command->argv.front() +
              "' was not found on this machine: is Open MPI there, and its module loaded? mpi.program of a "
              "profile, or mpi_config(program = ), names it";
  }
  if (!missing.empty()) {
    answer(jobs);
    return refuse(jobs, cause::command_missing, missing);
  }
  Result<RunPtr> begun = run(request, *command, jobs);
  if (!begun) return answer(begun.error());
  answer(jobs);
  tell(*begun, (*begun)->ranks.on_begun());
}

Result<MpiPlugin::RunPtr> MpiPlugin::run(const LaunchRequest& request, const MpiCommand& command,
                                         const Jobs& jobs) {
  auto run = std::make_shared<Run>(executor_, jobs, request);
  ProgramStart start;
  start.argv = {"/bin/sh", "-c", runner(), "sh"};
  start.argv.insert(start.argv.end(), command.argv.begin(), command.argv.end());
  start.environment = command.environment;
  start.on_output = [this, run](std::string_view bytes) { tell(run, run->ranks.on_output(bytes)); };
  Result<pid_t> pid =
      programs_.start(std::move(start), [this, run](const ProgramEnd& end) { on_ended(run, end); });
  if (!pid) return pid.error();
  run->pid = *pid;
  for (const std::string& job : jobs) runs_[job] = run;
  return run;
}

// --- what becomes of it ---

void MpiPlugin::tell(const RunPtr& run, MpiRanks::News news) {
  for (JobReport& report : news) tell_(std::move(report));
  bool is_done = run->ranks.all_over() || run->ranks.are_refused();
  if (is_done && !run->ending) end_after(run, time_to_notice);
}

void MpiPlugin::poll(const std::string& job, Answer<JobReport> answer) {
  auto found = runs_.find(job);
  if (found == runs_.end()) return answer(Error{"there is no job " + job + " here"});
  answer(*found->second->ranks.find(job));
}

void MpiPlugin::on_ended(const RunPtr& run, const ProgramEnd& end) {
  run->over = true;
  run->timer.cancel();
  for (JobReport& report : run->ranks.on_mpirun_ended(end.how)) tell_(std::move(report));
  check_empty();
}

// --- ends ---

void MpiPlugin::cancel(const std::string& job, Answer<Done> answer) {
  if (auto found = runs_.find(job); found != runs_.end()) {
    RunPtr run = found->second;
    run->ranks.cancel(job);
    if (run->ranks.all_cancelled()) end_after(run, milliseconds(0));
  }
  answer(Done{});
}

void MpiPlugin::end_after(const RunPtr& run, milliseconds pause) {
  if (run->over) return;
  run->ending = true;
  run->timer.expires_after(pause);
  run->timer.async_wait([this, run](boost::system::error_code cancelled) {
    if (cancelled || run->over) return;
    programs_.signal(run->pid, SIGTERM);
    run->timer.expires_after(time_to_obey);
    run->timer.async_wait([this, run](boost::system::error_code no_more) {
      if (!no_more && !run->over) programs_.signal(run->pid, SIGKILL);
    });
  });
}

void MpiPlugin::close(std::function<void()> done) {
  on_empty_ = std::move(done);
  for (const auto& [job, run] : runs_) {
    if (run->goes_on() || run->ending) continue;
    run->ranks.cancel_all();
    end_after(run, run->ranks.all_started() ? time_to_go : milliseconds(0));
  }
  check_empty();
}

void MpiPlugin::check_empty() {
  bool waits =
      std::any_of(runs_.begin(), runs_.end(), [](const auto& each) { return !each.second->goes_on(); });
  if (waits || !on_empty_) return;
  // What was told must get out before the program ends.
  asio::post(executor_, std::exchange(on_empty_, nullptr));
}

}  // namespace tenkai::mpi
