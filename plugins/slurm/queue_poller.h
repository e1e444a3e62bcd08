// Polls the queue of Slurm, within the budget: one query for all jobs, and for those of which nobody
// knows whether they were taken. Acts on what SlurmJobs wants.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plugins/slurm/query_budget.h"
#include "plugins/slurm/slurm_jobs.h"
#include "plugins/slurm/slurm_programs.h"

namespace tenkai::slurm {

// What squeue is asked. `by_comment`: a job is known by its comment, which squeue
// cannot look for. `clusters`: none is the one of this machine.
std::vector<std::string> queue_argv(const std::vector<std::string>& job_tags, bool by_comment,
                                    const std::vector<std::string>& clusters);
std::vector<std::string> accounts_argv(const std::vector<std::string>& ids, const std::string& since,
                                       const std::vector<std::string>& clusters);
// Each once, of texts such as "alpha,beta".
std::vector<std::string> all_clusters(const std::vector<std::string>& texts);

class QueuePoller {
 public:
  // Whether Slurm has answered, and what is there.
  using LookedUp = std::function<void(bool answered, const std::optional<SubmittedJob>& job)>;
  struct Callbacks {
    std::function<void(SlurmJobs::News)> tell;
    // A query that was made at this time has been answered, or has failed.
    std::function<void(SlurmTime asked)> answered;
    std::function<void(const std::vector<SubmittedJob>& jobs)> strays;
  };

  // `jobs` and `programs` outlive this.
  QueuePoller(asio::any_io_executor executor, SlurmJobs& jobs, SlurmPrograms& programs, Callbacks callbacks);

  // `clusters`: where it may be, "alpha,beta"; empty: at that of this machine.
  void look_up(const std::string& job_tag, const std::string& clusters, LookedUp done);
  // For jobs that are known by their comments.
  void use_comments() { by_comment_ = true; }
  // Something has changed: looks when there is to be asked next.
  void wake();
  // Whether a query is wanted now, and can be made; it is, a moment later, when others
  // have joined it.
  bool asks_soon() const;
  void close();

 private:
  struct LookUp {
    std::string job_tag;
    std::string clusters;
    LookedUp done;
  };
  std::optional<SlurmTime> due() const;
  void ask();
  void on_queue(SlurmTime asked, std::vector<LookUp> look_ups, const SlurmOutcome& outcome);
  void ask_accounts();
  std::vector<std::string> clusters() const;

  SlurmJobs& jobs_;
  SlurmPrograms& programs_;
  Callbacks callbacks_;
  asio::steady_timer timer_;
  QueryBudget budget_;
  std::vector<LookUp> look_ups_;
  std::string since_;  // what the database is asked about
  bool by_comment_ = false;
  bool asking_ = false;
  bool asking_accounts_ = false;
  bool has_accounts_ = true;
  bool closed_ = false;
};

}  // namespace tenkai::slurm
