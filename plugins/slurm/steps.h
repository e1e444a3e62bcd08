// Daemons as steps of the job that the session is in: nothing is submitted. A script
// runs beside us, in which srun starts one agent on each node; it lives as long as its
// step, so nobody needs to ask Slurm about it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "launcher/plugin/plugin.h"
#include "plugins/slurm/allocation.h"
#include "plugins/slurm/job_script.h"
#include "process/programs.h"

namespace tenkai::slurm {

// Whether a launch is to be a step: `slurm.allocation`.
bool is_step(const LaunchRequest& request);

// What its template is told. `folder` is its own.
TemplateValues step_values(const LaunchRequest& request, const Allocation& allocation,
                           const std::string& folder);

class Steps {
 public:
  // `ended`: one of them has.
  Steps(asio::any_io_executor executor, Allocation allocation, Plugin::Tell tell,
        std::function<void()> ended);
  // What still runs is killed, unless it is to stay.
  ~Steps();

  Result<Rendered> render(const LaunchRequest& request) const;
  Result<Plugin::Jobs> start(const LaunchRequest& request);
  std::optional<JobReport> report_of(const std::string& job) const;
  // A step goes with the last of its agents. False: there is no such job.
  bool cancel(const std::string& job);
  // Agents that have been told to go may do so; what is left a moment later is ended.
  void close();
  // How many steps have not ended.
  std::size_t size() const;

 private:
  struct Step;
  using StepPtr = std::shared_ptr<Step>;
  Result<std::string> script(const LaunchRequest& request, const std::string& folder) const;
  StepPtr make(const LaunchRequest& request) const;
  Plugin::Jobs add(const LaunchRequest& request, const StepPtr& step);
  Plugin::Jobs take_up_again(const LaunchRequest& request);
  void scan_later(const StepPtr& step);
  void scan(const StepPtr& step);
  bool is_there(const Step& step) const;
  void signal(const Step& step, int number);
  void end_after(const StepPtr& step, std::chrono::milliseconds pause);
  void on_ended(const StepPtr& step, std::optional<int> exit_code, const std::string& log);

  asio::any_io_executor executor_;
  Allocation allocation_;
  Plugin::Tell tell_;
  std::function<void()> ended_;
  Programs programs_;
  std::map<std::string, StepPtr> steps_;  // by job; each has as many as it has agents
};

}  // namespace tenkai::slurm
