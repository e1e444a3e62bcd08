// Daemons as processes that MPI spawns: an mpirun for each launch, which runs
// tenkai-mpi-spawn and holds what that has spawned.
//
// options: the keys of the compute profile, `mpi.*`, `environment.*` and `threads`.
// docs/mpi.md says what is done with them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "launcher/plugin/plugin.h"
#include "plugins/mpi/mpi_command.h"
#include "plugins/mpi/mpi_ranks.h"
#include "process/programs.h"

namespace tenkai::mpi {

class MpiPlugin : public Plugin {
 public:
  MpiPlugin(asio::any_io_executor executor, Tell tell);

  Result<Rendered> render(const LaunchRequest& request) const override;
  void start(const LaunchRequest& request, Answer<Jobs> answer) override;
  void poll(const std::string& job, Answer<JobReport> answer) override;
  // mpirun goes with the last of its processes.
  void cancel(const std::string& job, Answer<Done> answer) override;
  void close(std::function<void()> done) override;
  ~MpiPlugin() override;

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  Jobs names_for(const LaunchRequest& request) const;
  void refuse(const Jobs& jobs, FailureCause cause, const std::string& message);
  Result<RunPtr> run(const LaunchRequest& request, const MpiCommand& command, const Jobs& jobs);
  void tell(const RunPtr& run, MpiRanks::News news);
  void on_ended(const RunPtr& run, const ProgramEnd& end);
  // mpirun, and with it what it holds.
  void end_after(const RunPtr& run, std::chrono::milliseconds pause);
  void check_empty();

  asio::any_io_executor executor_;
  Tell tell_;
  Programs programs_;
  std::map<std::string, RunPtr> runs_;  // by job; each has as many as it has processes
  std::function<void()> on_empty_;
};

}  // namespace tenkai::mpi
