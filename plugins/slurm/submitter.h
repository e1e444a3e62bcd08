// Submits launches: renders their scripts, runs sbatch as Submission decides, and keeps
// to what a site allows in a minute.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "launcher/plugin/messages.h"
#include "plugins/slurm/job_script.h"
#include "plugins/slurm/query_budget.h"
#include "plugins/slurm/queue_poller.h"
#include "plugins/slurm/slurm_programs.h"
#include "plugins/slurm/submission.h"

namespace tenkai::slurm {

// The template of a launch, and what it is called in errors.
struct NamedTemplate {
  std::string name;
  std::string text;
};
Result<NamedTemplate> named_template(const std::string& name);
Result<NamedTemplate> template_of(const LaunchRequest& request);

// What would be submitted for a batch, with `folder` for its status files.
Result<JobScript> job_script(const LaunchRequest& request, const NamedTemplate& with,
                             const Submission& submission, const std::string& folder);

class Submitter {
 public:
  // How a submission has ended: whole, or with what was taken before it failed.
  using OnDone = std::function<void(const Submission&)>;

  // These outlive this.
  Submitter(asio::any_io_executor executor, SlurmPrograms& programs, QueuePoller& poller);

  // An error at once where something is wrong with the script.
  Result<Done> submit(const LaunchRequest& request, const std::vector<std::string>& excluded, OnDone done);
  // Begins nothing more. What runs is waited for.
  void close();
  std::size_t size() const { return going_.size(); }
  // Where the jobs of such a launch are: clusters_of().
  std::string clusters_for(const LaunchRequest& request) const;
  // What the site has said in our environment.
  const std::vector<SiteOption>& site() const { return site_; }

 private:
  struct Going;
  using GoingPtr = std::shared_ptr<Going>;
  void step(const GoingPtr& going);
  void run(const GoingPtr& going);
  void wait(const GoingPtr& going, std::chrono::steady_clock::duration pause);
  Result<std::vector<std::string>> prepare(Going& going);

  asio::any_io_executor executor_;
  SlurmPrograms& programs_;
  QueuePoller& poller_;
  SubmissionTimes times_;
  std::vector<SiteOption> site_;  // before own_job_, which takes it out of our environment
  std::string own_job_;           // that we are in
  std::size_t elements_ = Submission::max_elements;
  std::set<GoingPtr> going_;
  bool closed_ = false;
};

}  // namespace tenkai::slurm
