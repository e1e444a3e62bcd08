// What Slurm's programs write, and what their words mean.
//
// Sites wrap these programs, and add lines of their own: what has not the shape that
// was asked for is passed over. Nothing is concluded from states that nobody
// knows yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenkai::slurm {

// What `sbatch --parsable` prints: "123", or "123;cluster" where there are several clusters.
struct SubmittedJob {
  std::string id;
  std::string cluster;

  bool operator==(const SubmittedJob&) const = default;
};
// The line of standard output that is one; banners come before it, and after. Where
// several numbers stand alone, nobody knows which it is, and the job is to be looked for.
std::optional<SubmittedJob> submitted_job(std::string_view output);

// Which elements of an array a line speaks of; none: the job is no array.
struct TaskSet {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  bool complete = true;  // else Slurm has cut the text, and there are more

  bool is_array() const { return !ranges.empty() || !complete; }
  bool holds(std::uint32_t task) const;

  bool operator==(const TaskSet&) const = default;
};

enum class SlurmState {
  pending,
  running,
  suspended,  // its processes are stopped, and may go on
  ending,     // its processes may still be there
  completed,
  failed,
  time_limit,
  out_of_memory,
  node_fail,
  preempted,
  cancelled,
  other  // a word that we do not know
};
// "PENDING", "PD", "CANCELLED by 1000", "CANCELLED+".
SlurmState slurm_state(std::string_view word);
bool is_over(SlurmState state);

// A line of squeue or sacct.
struct JobLine {
  std::string id;  // of the job, or of the whole array
  TaskSet tasks;
  std::string word;  // the state, as it was written
  SlurmState state = SlurmState::other;
  std::string reason;  // of squeue: why it waits, or has failed
  std::string nodes;
  std::string job_tag;           // of squeue: the name or the comment that tells whose it is
  std::string cluster;           // of squeue: where several were asked
  std::optional<int> exit_code;  // of sacct
  std::optional<int> signal;     // of sacct
};

// The formats that the two readers want; the job tag is %j (name) or %k (comment).
inline constexpr std::string_view queue_format = "%i|%T|%r|%N|";
inline constexpr std::string_view accounts_format = "JobID,State,ExitCode,NodeList";
std::vector<JobLine> parse_queue(std::string_view output);
std::vector<JobLine> parse_accounts(std::string_view output);

// The name of one agent's job: "123_4" in an array, "123.2" as a rank of a job.
struct JobName {
  std::string id;
  std::uint32_t number = 0;
  bool is_rank = false;

  std::string text() const { return id + (is_rank ? "." : "_") + std::to_string(number); }
  bool operator==(const JobName&) const = default;
};
std::optional<JobName> parse_job_name(std::string_view text);

// The first host of "n1", "n[1-2,5]", "gpu[01-04],cpu7"; empty for none.
std::string first_node(std::string_view nodes);

}  // namespace tenkai::slurm
