// The part of a session's folder that its jobs write into, as this machine sees it:
//
//   scripts/NUMBER.sbatch   what was submitted
//   status/ID_TASK          what a job tells of itself; ID: of a job with ranks
//   logs/ID_TASK.log        what it writes; ID.log, ID.log.RANK
//
// It is on a file system that other machines write to, and which may show that late.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "plugins/slurm/slurm_text.h"
#include "plugins/slurm/status_file.h"

namespace tenkai::slurm {

class JobFolder {
 public:
  // `logs`: where the logs are; empty: within it.
  explicit JobFolder(std::string path, std::string logs = {})
      : path_(std::move(path)), logs_(logs.empty() ? path_ + "/logs" : std::move(logs)) {}

  const std::string& path() const { return path_; }
  const std::string& logs() const { return logs_; }
  // Makes its folders.
  Result<Done> prepare() const;
  std::string script_path(const std::string& name) const { return path_ + "/scripts/" + name + ".sbatch"; }
  // Writes what is to be submitted; its path.
  Result<std::string> write_script(const std::string& name, const std::string& text) const;

  // The names of the status files that have changed since this was asked last.
  std::vector<std::string> changed();
  StatusFile status_file(const JobName& job) const;
  // Without what its job tells for all ranks.
  StatusFile own_status_file(const JobName& job) const;
  // The last lines of its log.
  std::string log(const JobName& job) const;

 private:
  struct Stamp {
    off_t size = 0;
    long seconds = 0;
    long nanoseconds = 0;

    bool operator==(const Stamp&) const = default;
  };
  StatusFile read(const std::string& name) const;

  std::string path_;
  std::string logs_;
  std::map<std::string, Stamp> seen_;
};

// For --output: a '%' of the folder's own stands for itself.
// Empty: the working directory, for people.
std::string log_pattern(const std::string& logs, bool has_ranks);

}  // namespace tenkai::slurm
