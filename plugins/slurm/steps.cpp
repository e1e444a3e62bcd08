#include "plugins/slurm/steps.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "launcher/template/environment.h"
#include "plugins/slurm/job_end.h"
#include "plugins/slurm/job_folder.h"
#include "plugins/slurm/submitter.h"
#include "process/find_process.h"

namespace tenkai::slurm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A step begins within a second, or waits for something.
constexpr milliseconds first_scan_pause{300};
constexpr milliseconds later_scan_pause{3000};
constexpr int quick_scans = 100;
// Agents hear of the end from their dispatcher, too, and end their R first.
constexpr milliseconds time_to_go{1500};
// Between TERM and KILL. A plugin has six seconds after the session for all of this.
constexpr milliseconds time_to_obey{3500};

// The exit code as a shell tells it.
int code_of(const Ended& how) { return how.signal ? 128 + *how.signal : how.exit_code.value_or(1); }

// A folder for each: steps of one job would write into the same files.
std::string folder_of(const LaunchRequest& request) {
  return request.folder + "/step-" + std::to_string(request.number);
}

std::string script_name(const LaunchRequest& request) { return std::to_string(request.number); }

std::vector<std::string> argv_of(const std::string& script) { return {"bash", script}; }

}  // namespace

bool is_step(const LaunchRequest& request) { return request.flag("slurm.allocation"); }

TemplateValues step_values(const LaunchRequest& request, const Allocation& allocation,
                           const std::string& folder) {
  Batch batch{0, request.agents, job_tag_of(request)};
  TemplateValues values = script_values(request, batch, "", folder);
  values["launch.name"] = {batch.job_tag};
  if (request.option("slurm.nodes").empty()) values["slurm.nodes"] = {"1"};
  // More than there is would be refused; the agents share what there is.
  std::size_t cpus = to_number<std::size_t>(values["launch.cpus"].front()).value_or(1);
  if (allocation.cpus > 0) cpus = std::min(cpus, allocation.cpus);
  values["launch.cpus"] = {std::to_string(cpus)};
  return values;
}

struct Steps::Step {
  Step(asio::any_io_executor executor, const std::string& path, const LaunchRequest& request)
      : folder(path, logs_of(request, path)),
        stays(request.stays),
        scan_timer(executor),
        end_timer(executor) {}

  struct Rank {
    JobName name;     // as its files are called
    std::string job;  // as it is called here
    JobReport last;   // what was told
    bool cancelled = false;
  };
  bool all_started() const {
    return std::all_of(ranks.begin(), ranks.end(),
                       [](const Rank& rank) { return rank.last.state != JobState::submitted; });
  }
  bool all_cancelled() const {
    return std::all_of(ranks.begin(), ranks.end(), [](const Rank& rank) { return rank.cancelled; });
  }

  JobFolder folder;
  bool stays;
  std::vector<Rank> ranks;
  std::string script;
  pid_t pid = 0;
  bool is_ours = true;  // else the pid is not, and may become another's
  bool over = false;
  int scans = 0;
  asio::steady_timer scan_timer;
  asio::steady_timer end_timer;
};

Steps::Steps(asio::any_io_executor executor, Allocation allocation, Plugin::Tell tell,
             std::function<void()> ended)
    : executor_(executor),
      allocation_(std::move(allocation)),
      tell_(std::move(tell)),
      ended_(std::move(ended)),
      programs_(executor) {}

Steps::~Steps() {
  for (const auto& [job, step] : steps_) {
    if (!step->stays) signal(*step, SIGKILL);
  }
}

Result<std::string> Steps::script(const LaunchRequest& request, const std::string& folder) const {
  if (allocation_.job.empty()) {
    return Error{
        "the daemons are to be steps of a job of Slurm, and this session is in none (SLURM_JOB_ID is not "
        "set): start R by sbatch, salloc or tenkai run, or leave out slurm.allocation"};
  }
  Result<NamedTemplate> with = named_template("slurm-step.sh");
  if (!with) return with.error();
  Result<TemplateValues> values = with_shell_code(step_values(request, allocation_, folder));
  if (!values) return values.error();
  Result<JobScript> script = render_template(with->name, with->text, *values);
  if (!script) return script.error();
  return script->text;
}

Result<Rendered> Steps::render(const LaunchRequest& request) const {
  Result<std::string> text = script(request, request.folder);
  if (!text) return text.error();
  return Rendered{paste_text({"bash"}, *text)};
}

// --- start ---

Result<Plugin::Jobs> Steps::start(const LaunchRequest& request) {
  if (request.running) return take_up_again(request);
  const std::string path = folder_of(request);
  Result<std::string> text = script(request, path);
  if (!text) return text.error();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{"cannot make the folder " + path + " for a step: " + std::strerror(errno)};
  StepPtr step = make(request);
  Result<Done> made = step->folder.prepare();
  if (!made) return made.error();
  Result<std::string> file = step->folder.write_script(script_name(request), *text);
  if (!file) return file.error();
  ProgramStart start;
  start.argv = argv_of(*file);
  start.environment = allocation_.variables;
  Result<pid_t> pid = programs_.start(
      std::move(start), [this, step](const ProgramEnd& end) { on_ended(step, code_of(end.how), end.log); });
  if (!pid) return pid.error();
  step->script = *file;
  step->pid = *pid;
  return add(request, step);
}

// The script of a plugin that died runs on, and tells by itself how it ends; that it
// has ended is seen, too, where somebody kills it.
Plugin::Jobs Steps::take_up_again(const LaunchRequest& request) {
  StepPtr step = make(request);
  step->is_ours = false;
  step->script = step->folder.script_path(script_name(request));
  step->pid = find_process(argv_of(step->script)).value_or(0);
  return add(request, step);
}

bool Steps::is_there(const Step& step) const {
  if (step.is_ours) return programs_.holds(step.pid);
  return step.pid != 0 && is_process(step.pid, argv_of(step.script));
}

Steps::StepPtr Steps::make(const LaunchRequest& request) const {
  return std::make_shared<Step>(executor_, folder_of(request), request);
}

Plugin::Jobs Steps::add(const LaunchRequest& request, const StepPtr& step) {
  Plugin::Jobs jobs;
  for (std::size_t i = 0; i < request.agents; ++i) {
    Step::Rank rank;
    rank.name = {allocation_.job, static_cast<std::uint32_t>(i), true};
    // Not 123.2, which is a step of Slurm's own count.
    rank.job = allocation_.job + ".launch" + std::to_string(request.number + i);
    rank.last.job = rank.job;
    jobs.push_back(rank.job);
    steps_[rank.job] = step;
    step->ranks.push_back(std::move(rank));
  }
  scan_later(step);
  return jobs;
}

void Steps::scan_later(const StepPtr& step) {
  if (step->over || (step->is_ours && step->all_started())) return;
  step->scan_timer.expires_after(++step->scans < quick_scans ? first_scan_pause : later_scan_pause);
  step->scan_timer.async_wait([this, step](boost::system::error_code cancelled) {
    if (cancelled || step->over) return;
    if (!is_there(*step) && !step->is_ours) return on_ended(step, std::nullopt, "");
    scan(step);
    scan_later(step);
  });
}

// Which of its agents have begun, and where.
void Steps::scan(const StepPtr& step) {
  for (Step::Rank& rank : step->ranks) {
    if (rank.last.state != JobState::submitted) continue;
    StatusFile own = step->folder.own_status_file(rank.name);
    if (!own.started) continue;
    rank.last.state = JobState::starting;
    rank.last.where = own.node;
    tell_(rank.last);
  }
}

std::optional<JobReport> Steps::report_of(const std::string& job) const {
  auto found = steps_.find(job);
  if (found == steps_.end()) return std::nullopt;
  for (const Step::Rank& rank : found->second->ranks) {
    if (rank.job == job) return rank.last;
  }
  return std::nullopt;
}

// --- ends ---

// `exit_code` of its script; none: what that has told of itself counts.
void Steps::on_ended(const StepPtr& step, std::optional<int> exit_code, const std::string& log) {
  scan(step);
  step->over = true;
  step->scan_timer.cancel();
  step->end_timer.cancel();
  for (Step::Rank& rank : step->ranks) {
    StatusFile status_file = step->folder.status_file(rank.name);
    if (exit_code) status_file.exit_code = exit_code;
    std::string own_log = step->folder.log(rank.name);
    if (own_log.empty()) own_log = log;
    JobReport report =
        rank.cancelled ? cancelled_end(rank.job, status_file.node) : told_end(rank.job, status_file, own_log);
    rank.last = report;
    tell_(std::move(report));
  }
  ended_();
}

bool Steps::cancel(const std::string& job) {
  auto found = steps_.find(job);
  if (found == steps_.end()) return false;
  StepPtr step = found->second;
  for (Step::Rank& rank : step->ranks) rank.cancelled = rank.cancelled || rank.job == job;
  if (step->all_cancelled()) end_after(step, milliseconds(0));
  return true;
}

void Steps::signal(const Step& step, int number) {
  if (step.over || !is_there(step)) return;
  signal_group(step.pid, number);
}

void Steps::end_after(const StepPtr& step, milliseconds pause) {
  if (step->over) return;
  step->end_timer.expires_after(pause);
  step->end_timer.async_wait([this, step](boost::system::error_code cancelled) {
    if (cancelled || step->over) return;
    signal(*step, SIGTERM);
    step->end_timer.expires_after(time_to_obey);
    step->end_timer.async_wait([this, step](boost::system::error_code no_more) {
      if (!no_more) signal(*step, SIGKILL);
    });
  });
}

void Steps::close() {
  for (const auto& [job, step] : steps_) {
    if (step->stays || step->over) continue;
    for (Step::Rank& rank : step->ranks) rank.cancelled = true;
    end_after(step, step->all_started() ? time_to_go : milliseconds(0));
  }
}

std::size_t Steps::size() const {
  return static_cast<std::size_t>(std::count_if(steps_.begin(), steps_.end(), [](const auto& each) {
    return !each.second->over && !each.second->stays;
  }));
}

}  // namespace tenkai::slurm
