// What is known of all jobs of this session, and what is to be asked of Slurm.
//
//   queued → running → over          what the jobs themselves tell (status files)
//      ↑________╯                    put back into the queue (requeued)
//
// A job tells by itself how far it is, and how it ended. Slurm is asked only where
// there is a reason to: a job does not come, its agent was lost, or it ended by a
// signal, and Slurm alone knows whose. A job that can never start is given up. One query is for all jobs.
// A job that is missing in its answer is taken for gone only when it was missing three times.
//
// Decided here, without a clock or a process: what happened goes in, news come out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "launcher/plugin/messages.h"
#include "plugins/slurm/asking.h"
#include "plugins/slurm/bad_nodes.h"
#include "plugins/slurm/job_fate.h"
#include "plugins/slurm/slurm_text.h"
#include "plugins/slurm/status_file.h"

namespace tenkai::slurm {

// The job of one agent, as Slurm knows it.
struct JobPlace {
  JobName name;
  std::string job_tag;  // its name or comment, by which it is found to be ours
  std::string cluster;  // empty: the one of this machine
};

struct SlurmJob {
  enum class Phase { queued, running, over };

  JobPlace place;
  bool stays = false;
  bool finishes = false;
  Phase phase = Phase::queued;
  SlurmTime since;  // of the phase
  StatusFile status_file;
  JobReport last;  // what was told last

  Asking asking;
  JobFate fate;
  FailureCause noted = cause::none;  // why it was ended, if it may yet be requeued
};

class SlurmJobs {
 public:
  using News = std::vector<JobReport>;

  void add(SlurmTime now, JobPlace place, bool stays, bool finishes = false);
  const SlurmJob* find(const std::string& name) const;
  // The jobs that have not ended.
  std::vector<const SlurmJob*> live() const;

  // `log`: its last lines, where it has ended.
  News on_status_file(SlurmTime now, const std::string& name, const StatusFile& status_file,
                      const std::string& log);
  // The log of a job about which there is a suspicion: Slurm writes there why it ends it.
  News on_log(SlurmTime now, const std::string& name, const std::string& log);
  // An answer to a query that was made at `asked`, for all job_tags().
  News on_queue(SlurmTime asked, SlurmTime now, const std::vector<JobLine>& lines);
  void on_no_answer(SlurmTime asked, const std::string& why);
  // The answer of the database, for accounts_wanted(); nothing where there is none.
  News on_accounts(SlurmTime now, const std::vector<JobLine>& lines);
  // The dispatcher has lost its agent.
  void on_suspicion(SlurmTime now, const std::string& name);
  void on_cancelling(const std::string& name);
  News on_cancelled(SlurmTime now, const std::string& name);
  // Ends that were held back long enough.
  News on_timer(SlurmTime now);

  // When a query is due; nothing: there is no reason for any.
  std::optional<SlurmTime> query_due() const;
  // When on_timer() has something to do.
  std::optional<SlurmTime> timer_due() const;
  // The job tags of the jobs that have not ended, each once.
  std::vector<std::string> job_tags() const;
  // Ids of the jobs that the database is to be asked about.
  std::vector<std::string> accounts_wanted() const;
  // Jobs with one of our job tags that are not known: they were submitted twice.
  std::vector<SubmittedJob> strays(const std::vector<JobLine>& lines) const;

  const BadNodes& bad_nodes() const { return nodes_; }
  // The last thing known of a job, for poll.
  std::optional<JobReport> report_of(const std::string& name) const;

 private:
  using Lines = std::map<std::string, std::vector<const JobLine*>>;  // by id

  void on_line(SlurmTime asked, SlurmTime now, SlurmJob& job, const JobLine& line, News& news);
  void on_absence(SlurmTime asked, SlurmTime now, SlurmJob& job, News& news);
  void on_pending(SlurmTime now, SlurmJob& job, const JobLine& line, News& news);
  static void give_up(JobReport& report);
  void on_running(SlurmTime now, SlurmJob& job, const std::string& node, News& news);
  static void on_bringing(SlurmJob& job, News& news);
  static void on_suspended(SlurmJob& job, const JobLine& line, News& news);
  void on_over(SlurmTime now, SlurmJob& job, const JobLine& line, News& news);
  void end(SlurmTime now, SlurmJob& job, JobReport report, News& news);
  static void lose(SlurmJob& job, News& news);
  void end_held(SlurmTime now, SlurmJob& job, News& news);
  void judge_node(SlurmTime now, const SlurmJob& job, JobReport& report);
  std::optional<SlurmTime> due(const SlurmJob& job) const;
  std::string cluster_of(const JobLine& line) const;
  void forget_old();

  std::map<std::string, SlurmJob> jobs_;
  std::deque<std::string> over_;                      // in the order of their ends
  std::map<std::string, std::set<std::string>> ids_;  // by job tag
  SlurmTime asked_{};                                 // when the last query was made
  std::string no_answer_;                             // why it had no answer
  BadNodes nodes_;
};

}  // namespace tenkai::slurm
