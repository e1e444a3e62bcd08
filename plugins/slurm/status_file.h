// What a job has told of itself: its status file, a file of the launch's folder into which
// its script writes lines, and the last lines of its log.
//
//   started NODE RESTART | prologue | ready | rscript PATH | bringing | brought | failed KIND WHAT |
//   exit CODE
//
// A job that is requeued writes on in the same file: its last
// `started` counts, and what follows it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "launcher/plugin/failure.h"

namespace tenkai::slurm {

struct StatusFile {
  bool started = false;
  std::string node;
  unsigned restart = 0;   // how often it was requeued
  bool prologue = false;  // the profile's own shell code has begun
  bool ready = false;     // its environment is set up
  std::string rscript;    // found
  bool bringing = false;  // tenkai, which its node misses
  std::optional<Failure> failure;
  std::optional<int> exit_code;
  // The exit code of a rank is srun's, which has seen all of them; it may be another rank's.
  bool exit_is_shared = false;

  bool operator==(const StatusFile&) const = default;
};

// Lines of another shape, and one without its end, are passed over.
StatusFile parse_status_file(std::string_view text);

// The status file of a rank, with what that of its job tells: the job has set up the
// environment, and knows the end.
StatusFile with_job(StatusFile rank, const StatusFile& job);

// What Slurm itself has written into the log of a job that it ends.
struct SlurmNote {
  std::string word;  // the state that it will tell: "TIMEOUT"
  Failure failure;
};
std::optional<SlurmNote> slurm_note(std::string_view log);

}  // namespace tenkai::slurm
