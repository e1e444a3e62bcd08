// Daemons as jobs of Slurm, by its programs: sbatch, squeue, sacct, scancel.
//
// options: the keys of the compute profile, `slurm.*`, `environment.*` and `threads`,
// and `caps.submissions-per-minute`. docs/slurm.md has what is done with them.
//
// What becomes of a job it tells by itself, in files of the session's folder; Slurm is
// asked only where that is not enough. SlurmJobs decides, this acts.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "launcher/plugin/plugin.h"
#include "plugins/slurm/canceller.h"
#include "plugins/slurm/job_folder.h"
#include "plugins/slurm/queue_poller.h"
#include "plugins/slurm/slurm_jobs.h"
#include "plugins/slurm/slurm_programs.h"
#include "plugins/slurm/steps.h"
#include "plugins/slurm/submitter.h"

namespace tenkai::slurm {

class SlurmPlugin : public Plugin {
 public:
  SlurmPlugin(asio::any_io_executor executor, Tell tell);

  Result<Rendered> render(const LaunchRequest& request) const override;
  void start(const LaunchRequest& request, Answer<Plugin::Jobs> answer) override;
  void poll(const std::string& job, Answer<JobReport> answer) override;
  void cancel(const std::string& job, Answer<Done> answer) override;
  void close(std::function<void()> done) override;

 private:
  struct Waiting {
    std::string job;
    SlurmTime since;
    Answer<JobReport> answer;
  };
  void on_submitted(const LaunchRequest& request, const Submission& submission,
                    const Answer<Plugin::Jobs>& answer);
  void on_ended_meanwhile(const LaunchRequest& request, const Submission& submission,
                          const Answer<Plugin::Jobs>& answer);
  void cancel_strays(const std::vector<SubmittedJob>& strays);
  void cancel_doubtful(const LaunchRequest& request, const Submission& submission);
  std::vector<JobReport> reports_of_rest(const LaunchRequest& request, const Submission& submission);
  void take_up_again(const LaunchRequest& request, const Answer<Plugin::Jobs>& answer);
  void add(const LaunchRequest& request, JobPlace place);
  void scan_later();
  void scan();
  void look_at(const std::string& job);
  void look_at_file(const std::string& folder, const std::string& name);
  void tell(SlurmJobs::News news);
  void complete(JobReport& report, const SlurmJob& job) const;
  void on_answered(SlurmTime asked);
  JobReport known(const std::string& job) const;
  void check_empty();

  Tell tell_;
  SlurmJobs jobs_;
  SlurmPrograms programs_;
  QueuePoller poller_;
  Canceller canceller_;
  Steps steps_;  // before what takes our job out of the environment
  Submitter submitter_;
  asio::steady_timer scan_timer_;
  asio::steady_timer end_timer_;
  std::map<std::string, JobFolder> folders_;           // by path
  std::map<std::string, std::string> folder_of_;       // a job's id: the path
  std::map<std::string, std::vector<JobName>> ranks_;  // of jobs that have them, by id
  std::vector<Waiting> polls_;
  std::uint64_t last_failed_ = 0;
  bool closing_ = false;
  std::function<void()> on_empty_;
};

}  // namespace tenkai::slurm
