// Cancels jobs: those that are to go within a tenth of a second go together.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/slurm/cancel_calls.h"
#include "plugins/slurm/slurm_jobs.h"
#include "plugins/slurm/slurm_programs.h"

namespace tenkai::slurm {

class Canceller {
 public:
  struct Callbacks {
    std::function<void(SlurmJobs::News)> tell;
    std::function<void()> ended;  // one of its calls
  };

  // `jobs` and `programs` outlive this.
  Canceller(asio::any_io_executor executor, SlurmJobs& jobs, SlurmPrograms& programs, Callbacks callbacks)
      : executor_(executor),
        jobs_(jobs),
        programs_(programs),
        callbacks_(std::move(callbacks)),
        timer_(executor) {}

  void cancel(const std::string& name);
  // Cancels these jobs, and those that wait for a call, at once.
  void cancel_now(const std::vector<std::string>& names);
  // Jobs that nobody knows by a name of ours.
  void cancel_ids(const std::vector<std::string>& ids, const std::string& cluster);
  // A job that may be there or not: by its name, which no other job has.
  void cancel_tagged(const std::string& job_tag, const std::string& clusters);
  // How many calls have not ended.
  std::size_t size() const { return running_; }

 private:
  void run(std::vector<std::string> argv, std::vector<std::string> names, int tries);

  asio::any_io_executor executor_;
  SlurmJobs& jobs_;
  SlurmPrograms& programs_;
  Callbacks callbacks_;
  asio::steady_timer timer_;
  std::vector<std::string> waiting_;
  std::size_t running_ = 0;
};

}  // namespace tenkai::slurm
