// What becomes of the processes of one launch: they tell by lines, and where they cannot
// any more, how mpirun ended tells. Decides; others run it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/plugin/messages.h"
#include "process/children.h"

namespace tenkai::mpi {

class MpiRanks {
 public:
  using News = std::vector<JobReport>;

  // The names of their jobs, in the order of the ranks.
  explicit MpiRanks(const std::vector<std::string>& jobs);

  // mpirun runs; the processes tell by themselves when they do.
  News on_begun();
  // What mpirun writes, its own words and those of the processes.
  News on_output(std::string_view bytes);
  // mpirun has ended, and with it all that it held.
  News on_mpirun_ended(const Ended& how);

  // From now on the end of this job is no failure.
  void cancel(const std::string& job);
  void cancel_all();

  bool all_started() const;
  bool all_cancelled() const;
  bool all_over() const;
  // MPI has refused to start the processes: there will be none.
  bool are_refused() const { return !refused_.empty(); }
  // Null where there is no such job.
  const JobReport* find(const std::string& job) const;

 private:
  struct Rank {
    JobReport last;  // what was told
    bool started = false;
    bool over = false;
    bool cancelled = false;
  };
  void on_line(std::string_view line, News& news);
  void end(Rank& rank, JobReport report, News& news);
  JobReport end_with_mpirun(const Rank& rank, const Ended& how) const;

  std::vector<Rank> ranks_;
  std::string line_;     // that has no end yet
  std::string log_;      // mpirun's own last lines
  std::string refused_;  // why MPI has spawned nothing; empty: it has not said so
};

}  // namespace tenkai::mpi
