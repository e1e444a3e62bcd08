#include "plugins/slurm/slurm_jobs.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "plugins/slurm/job_end.h"
#include "plugins/slurm/pending_reason.h"

namespace tenkai::slurm {
namespace {

using std::chrono::seconds;

// Slurm knows of an end within this, or says nothing of it.
constexpr seconds hold_time{60};
constexpr seconds accounts_time{20};
// Slurm may not know yet a job that was submitted.
constexpr seconds min_age{60};
// A job that fails within this had no time to do anything wrong itself.
constexpr seconds short_run{60};
constexpr std::size_t max_over = 10'000;

bool is_bad_start(FailureCause cause) {
  return cause == cause::rscript_missing || cause == cause::package_missing ||
         cause == cause::module_missing || cause == cause::folder_missing;
}

const JobLine* line_of(const JobPlace& place, const std::vector<const JobLine*>& lines) {
  const JobLine* cut = nullptr;
  for (const JobLine* line : lines) {
    if (place.name.is_rank || !line->tasks.is_array() || line->tasks.holds(place.name.number)) return line;
    if (!line->tasks.complete) cut = line;
  }
  return cut;
}

std::map<std::string, std::vector<const JobLine*>> by_id(const std::vector<JobLine>& lines) {
  std::map<std::string, std::vector<const JobLine*>> found;
  for (const JobLine& line : lines) found[line.id].push_back(&line);
  return found;
}

JobReport end_of_cancelled(const SlurmJob& job) {
  return job.fate.is_given_up() ? *job.fate.report()
                                : cancelled_end(job.place.name.text(), job.status_file.node);
}

}  // namespace

void SlurmJobs::add(SlurmTime now, JobPlace place, bool stays, bool finishes) {
  SlurmJob job;
  job.last.job = place.name.text();
  job.since = now;
  job.stays = stays;
  job.finishes = finishes;
  ids_[place.job_tag].insert(place.name.id);
  job.place = std::move(place);
  jobs_[job.last.job] = std::move(job);
}

const SlurmJob* SlurmJobs::find(const std::string& name) const {
  auto found = jobs_.find(name);
  return found == jobs_.end() ? nullptr : &found->second;
}

std::vector<const SlurmJob*> SlurmJobs::live() const {
  std::vector<const SlurmJob*> found;
  for (const auto& [name, job] : jobs_) {
    if (job.phase != SlurmJob::Phase::over) found.push_back(&job);
  }
  return found;
}

std::optional<JobReport> SlurmJobs::report_of(const std::string& name) const {
  const SlurmJob* job = find(name);
  if (job == nullptr) return std::nullopt;
  JobReport report = job->last;
  if (job->phase != SlurmJob::Phase::over && !no_answer_.empty()) {
    report.message += (report.message.empty() ? "" : "; ") + ("Slurm does not answer: " + no_answer_);
  }
  return report;
}

// --- what the jobs tell ---

SlurmJobs::News SlurmJobs::on_status_file(SlurmTime now, const std::string& name,
                                          const StatusFile& status_file, const std::string& log) {
  News news;
  auto found = jobs_.find(name);
  if (found == jobs_.end() || found->second.phase == SlurmJob::Phase::over) return news;
  SlurmJob& job = found->second;
  if (job.status_file == status_file) return news;
  bool again =
      status_file.started && (!job.status_file.started || job.status_file.restart != status_file.restart);
  // A rank whose job has told before it did itself, from the node of its script.
  bool moved = !again && status_file.started && job.status_file.node != status_file.node;
  bool is_news_of_bringing = job.status_file.bringing != status_file.bringing;
  job.status_file = status_file;
  if (moved && job.phase == SlurmJob::Phase::running && !job.fate.is_given_up()) {
    job.last.where = status_file.node;
    news.push_back(job.last);
  }
  if (again) {
    job.asking = {};
    job.fate.go_on();
    job.phase = SlurmJob::Phase::queued;
    on_running(now, job, status_file.node, news);
  }
  if (is_news_of_bringing) on_bringing(job, news);
  if (!status_file.exit_code) return news;
  if (job.fate.is_decided()) {
    end(now, job, end_of_cancelled(job), news);
    return news;
  }
  JobReport report = told_end(name, status_file, log);
  // Somebody has ended it, and Slurm knows who and why.
  bool is_in_doubt = report.cause == cause::none || may_come_back(report.cause);
  if (is_in_doubt && *status_file.exit_code > 128) {
    job.noted = report.cause;
    job.fate.hold(std::move(report), now + hold_time);
    job.asking.suspect(now);
  } else {
    end(now, job, std::move(report), news);
  }
  return news;
}

SlurmJobs::News SlurmJobs::on_log(SlurmTime now, const std::string& name, const std::string& log) {
  News news;
  auto found = jobs_.find(name);
  if (found == jobs_.end() || found->second.phase != SlurmJob::Phase::running) return news;
  std::optional<SlurmNote> note = slurm_note(log);
  bool is_of_this_run = note && found->second.status_file.restart == 0;
  if (is_of_this_run && may_come_back(note->failure.cause)) found->second.noted = note->failure.cause;
  std::optional<JobReport> report = noted_end(name, found->second.status_file, log);
  if (report) end(now, found->second, std::move(*report), news);
  return news;
}

void SlurmJobs::on_suspicion(SlurmTime now, const std::string& name) {
  auto found = jobs_.find(name);
  if (found == jobs_.end() || found->second.phase == SlurmJob::Phase::over) return;
  Asking& asking = found->second.asking;
  if (asking.state() == Asking::State::lost) return;
  // What was asked a moment ago is not asked again because of it.
  bool is_known = asking.has_reason() && now - asked_ < QueryBudget::refill;
  if (!is_known) asking.suspect(now);
}

// --- what Slurm tells ---

void SlurmJobs::on_no_answer(SlurmTime asked, const std::string& why) {
  asked_ = asked;
  no_answer_ = why;
}

SlurmJobs::News SlurmJobs::on_queue(SlurmTime asked, SlurmTime now, const std::vector<JobLine>& lines) {
  News news;
  asked_ = asked;
  no_answer_.clear();
  Lines index = by_id(lines);
  for (auto& [name, job] : jobs_) {
    bool is_asked = job.phase == SlurmJob::Phase::running || job.since <= asked;
    if (job.phase == SlurmJob::Phase::over || !is_asked) continue;
    auto found = index.find(job.place.name.id);
    const JobLine* line = found == index.end() ? nullptr : line_of(job.place, found->second);
    if (line == nullptr) {
      on_absence(asked, now, job, news);
    } else {
      on_line(asked, now, job, *line, news);
    }
  }
  forget_old();
  return news;
}

void SlurmJobs::on_line(SlurmTime asked, SlurmTime now, SlurmJob& job, const JobLine& line, News& news) {
  job.asking.seen();
  // The answer is of a time before the job told us that it runs.
  if (job.phase == SlurmJob::Phase::running && job.since >= asked) return;
  if (line.state == SlurmState::pending) return on_pending(now, job, line, news);
  if (line.state == SlurmState::running || line.state == SlurmState::suspended) {
    on_running(now, job, first_node(line.nodes), news);
    return on_suspended(job, line, news);
  }
  if (is_over(line.state)) return on_over(now, job, line, news);
  if (line.state == SlurmState::other)
    job.last.message = "Slurm says " + printable(line.word, 60) + ", which tenkai does not know";
}

void SlurmJobs::on_pending(SlurmTime now, SlurmJob& job, const JobLine& line, News& news) {
  if (job.fate.is_given_up()) return;
  bool is_back = job.phase == SlurmJob::Phase::running;
  job.asking.settle();
  job.fate.go_on();
  if (is_back) {
    job.phase = SlurmJob::Phase::queued;
    job.since = now;
  }
  JobReport report;
  report.job = job.place.name.text();
  report.state = JobState::pending;
  report.reason = line.reason;
  // What ran there is gone, and others may have to know why.
  if (is_back)
    report.cause = job.noted == cause::none ? cause::requeued : std::exchange(job.noted, cause::none);
  const PendingReason* known = find_pending_reason(line.reason);
  report.stuck = known != nullptr && known->outlook == Outlook::somebody;
  // Why one that was requeued waits is in the values of its tasks, where it is of no interest.
  std::string why =
      is_back && !report.stuck ? printable(line.reason, 200) : reason_in_words(line.reason, report.job);
  report.message = (is_back ? "it was put back into the queue" : "it waits in the queue") +
                   (line.reason.empty() ? std::string() : ": " + why);
  if (known != nullptr && known->outlook == Outlook::never) {
    give_up(report);
    job.fate.give_up(report);
  }
  if (report == job.last) return;
  job.last = report;
  news.push_back(std::move(report));
}

// It is over when it has been cancelled.
void SlurmJobs::give_up(JobReport& report) {
  report.state = JobState::failed;
  report.cause = cause::cannot_start;
  report.message = "job " + report.job +
                   " can never start, and was given up: " + reason_in_words(report.reason, report.job);
}

void SlurmJobs::on_running(SlurmTime now, SlurmJob& job, const std::string& node, News& news) {
  if (job.phase == SlurmJob::Phase::running) return;
  job.phase = SlurmJob::Phase::running;
  job.since = now;
  job.asking.begun();
  if (job.fate.is_given_up()) return;
  JobReport report;
  report.job = job.place.name.text();
  report.state = JobState::starting;
  report.where = node;
  job.last = report;
  news.push_back(std::move(report));
}

// A package that is compiled takes minutes, in which nothing is heard of its daemons.
void SlurmJobs::on_bringing(SlurmJob& job, News& news) {
  bool is_over = job.status_file.exit_code.has_value();
  if (job.phase != SlurmJob::Phase::running || job.fate.is_given_up() || is_over) return;
  job.last.suspended = job.status_file.bringing;
  job.last.message = job.status_file.bringing ? "tenkai " + std::string(program_version) +
                                                    " is brought along to " + job.status_file.node
                                              : "";
  job.last.note = job.last.message;
  news.push_back(job.last);
}

// Slurm is asked on: that it goes on, its agent may not tell.
void SlurmJobs::on_suspended(SlurmJob& job, const JobLine& line, News& news) {
  bool is_suspended = line.state == SlurmState::suspended;
  if (job.fate.is_given_up() || job.status_file.bringing || job.last.suspended == is_suspended) return;
  job.last.suspended = is_suspended;
  job.last.reason = is_suspended ? line.word : "";
  job.last.message =
      is_suspended ? "Slurm has suspended it (" + printable(line.word, 60) + "); it is waited for" : "";
  news.push_back(job.last);
}

void SlurmJobs::on_over(SlurmTime now, SlurmJob& job, const JobLine& line, News& news) {
  const std::string name = job.place.name.text();
  if (job.fate.is_decided()) return end(now, job, end_of_cancelled(job), news);
  JobReport report = slurm_end(name, line, job.status_file);
  // Slurm has no other word for it than the job itself.
  if (job.fate.is_held() && report.cause == cause::none) return end_held(now, job, news);
  if (job.fate.is_held()) report.log = job.fate.report()->log;
  bool by_somebody = line.state == SlurmState::cancelled && line.word.find(" by ") == line.word.npos;
  if (!by_somebody || (job.fate.is_held() && job.fate.report()->cause == cause::job_cancelled))
    return end(now, job, std::move(report), news);
  // The database knows who that was.
  job.fate.hold(std::move(report), now + accounts_time);
  job.asking.ask_accounts();
}

void SlurmJobs::on_absence(SlurmTime asked, SlurmTime now, SlurmJob& job, News& news) {
  if (job.fate.is_cancelled()) return end(now, job, end_of_cancelled(job), news);
  job.asking.missing(asked, job.status_file.started);
}

SlurmJobs::News SlurmJobs::on_accounts(SlurmTime now, const std::vector<JobLine>& lines) {
  News news;
  Lines index = by_id(lines);
  for (auto& [name, job] : jobs_) {
    if (job.phase == SlurmJob::Phase::over || !job.asking.answered()) continue;
    auto found = index.find(job.place.name.id);
    const JobLine* line = found == index.end() ? nullptr : line_of(job.place, found->second);
    if (line != nullptr && is_over(line->state)) {
      on_over(now, job, *line, news);
      job.asking.answered();
    } else if (!job.fate.is_held() && job.asking.is_absent() && now - job.since >= min_age) {
      lose(job, news);
    }
    if (job.fate.is_held()) end_held(now, job, news);
  }
  return news;
}

// --- ends ---

SlurmJobs::News SlurmJobs::on_timer(SlurmTime now) {
  News news;
  for (auto& [name, job] : jobs_) {
    if (std::optional<SlurmTime> until = job.fate.until(); until && *until <= now) end_held(now, job, news);
  }
  return news;
}

void SlurmJobs::end_held(SlurmTime now, SlurmJob& job, News& news) {
  JobReport report = *job.fate.report();
  end(now, job, std::move(report), news);
}

// It is not over: what was not seen may yet begin, and must then be cancelled.
void SlurmJobs::lose(SlurmJob& job, News& news) {
  job.asking.lose();
  job.last = lost_end(job.place.name.text(), job.status_file);
  news.push_back(job.last);
}

void SlurmJobs::end(SlurmTime now, SlurmJob& job, JobReport report, News& news) {
  judge_node(now, job, report);
  job.phase = SlurmJob::Phase::over;
  job.since = now;
  job.fate.go_on();
  job.asking = {};
  job.last = report;
  over_.push_back(job.place.name.text());
  news.push_back(std::move(report));
}

void SlurmJobs::forget_old() {
  for (; over_.size() > max_over; over_.pop_front()) jobs_.erase(over_.front());
}

void SlurmJobs::judge_node(SlurmTime now, const SlurmJob& job, JobReport& report) {
  const std::string& node = report.where;
  bool was_excluded = nodes_.is_excluded(node);
  bool failed = report.cause == cause::none && report.exit_code.value_or(0) != 0;
  if (report.cause == cause::node_fail) {
    nodes_.on_bad(node, true);
  } else if (is_bad_start(report.cause) || (failed && now - job.since < short_run)) {
    for (const auto& [name, other] : jobs_) {
      bool is_good = other.phase == SlurmJob::Phase::running && !other.status_file.rscript.empty() &&
                     !other.status_file.exit_code && other.status_file.node != node;
      if (is_good) nodes_.on_good(other.status_file.node);
    }
    nodes_.on_bad(node, false);
  } else if (report.exit_code == 0 && job.status_file.exit_code == 0) {
    nodes_.on_good(node);
  }
  if (was_excluded || !nodes_.is_excluded(node)) return;
  report.note = "node " + node + " has failed " + std::to_string(BadNodes::limit) +
                " launches, and is left out of those that follow";
}

void SlurmJobs::on_cancelling(const std::string& name) {
  auto found = jobs_.find(name);
  if (found != jobs_.end()) found->second.fate.cancel();
}

SlurmJobs::News SlurmJobs::on_cancelled(SlurmTime now, const std::string& name) {
  News news;
  auto found = jobs_.find(name);
  if (found == jobs_.end() || found->second.phase == SlurmJob::Phase::over) return news;
  end(now, found->second, end_of_cancelled(found->second), news);
  return news;
}

// --- what is to be asked ---

std::optional<SlurmTime> SlurmJobs::due(const SlurmJob& job) const {
  if (job.phase == SlurmJob::Phase::over) return std::nullopt;
  bool has_begun = job.status_file.started;
  bool waits = job.phase == SlurmJob::Phase::queued || !has_begun;
  return job.asking.due(asked_, waits ? std::optional(job.since) : std::nullopt, has_begun);
}

std::optional<SlurmTime> SlurmJobs::query_due() const {
  std::optional<SlurmTime> first;
  for (const auto& [name, job] : jobs_) {
    std::optional<SlurmTime> each = due(job);
    if (each && (!first || *each < *first)) first = each;
  }
  return first;
}

std::optional<SlurmTime> SlurmJobs::timer_due() const {
  std::optional<SlurmTime> first;
  for (const auto& [name, job] : jobs_) {
    std::optional<SlurmTime> until = job.fate.until();
    if (until && (!first || *until < *first)) first = until;
  }
  return first;
}

std::vector<std::string> SlurmJobs::job_tags() const {
  std::set<std::string> found;
  for (const SlurmJob* job : live()) found.insert(job->place.job_tag);
  return {found.begin(), found.end()};
}

std::vector<std::string> SlurmJobs::accounts_wanted() const {
  std::set<std::string> found;
  for (const SlurmJob* job : live()) {
    if (job->asking.state() == Asking::State::accounts) found.insert(job->place.name.id);
  }
  return {found.begin(), found.end()};
}

// Where the answer does not say it, it is where its twin is.
std::string SlurmJobs::cluster_of(const JobLine& line) const {
  if (!line.cluster.empty()) return line.cluster;
  for (const auto& [name, job] : jobs_) {
    if (job.place.job_tag == line.job_tag) return job.place.cluster;
  }
  return {};
}

std::vector<SubmittedJob> SlurmJobs::strays(const std::vector<JobLine>& lines) const {
  std::vector<SubmittedJob> found;
  for (const JobLine& line : lines) {
    auto job_tag = ids_.find(line.job_tag);
    if (job_tag == ids_.end() || job_tag->second.count(line.id) != 0 || is_over(line.state)) continue;
    SubmittedJob stray{line.id, cluster_of(line)};
    if (std::find(found.begin(), found.end(), stray) == found.end()) found.push_back(std::move(stray));
  }
  return found;
}

}  // namespace tenkai::slurm
