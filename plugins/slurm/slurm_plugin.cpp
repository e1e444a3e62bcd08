#include "plugins/slurm/slurm_plugin.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "plugins/slurm/job_end.h"

namespace tenkai::slurm {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// We have six seconds, and what still runs after these is ended.
constexpr seconds time_to_close{3};

// How often the files of jobs are looked at: a file system that many share is not to
// feel it, and most happens while a job is young.
seconds scan_pause(SlurmTime::duration age) {
  if (age < minutes(2)) return seconds(1);
  return age < minutes(10) ? seconds(3) : seconds(10);
}

bool is_over(const JobReport& report) {
  return report.state == JobState::ended || report.state == JobState::failed;
}

}  // namespace

SlurmPlugin::SlurmPlugin(asio::any_io_executor executor, Tell tell)
    : tell_(std::move(tell)),
      programs_(executor),
      poller_(executor, jobs_, programs_,
              {[this](SlurmJobs::News news) { this->tell(std::move(news)); },
               [this](SlurmTime asked) { on_answered(asked); },
               [this](const std::vector<SubmittedJob>& strays) { cancel_strays(strays); }}),
      canceller_(executor, jobs_, programs_,
                 {[this](SlurmJobs::News news) { this->tell(std::move(news)); }, [this] { check_empty(); }}),
      steps_(executor, own_allocation(), tell_, [this] { check_empty(); }),
      submitter_(executor, programs_, poller_),
      scan_timer_(executor),
      end_timer_(executor) {}

Result<Rendered> SlurmPlugin::render(const LaunchRequest& request) const {
  Result<Done> checked = check_options(request);
  if (!checked) return checked.error();
  if (is_step(request)) return steps_.render(request);
  Result<NamedTemplate> with = template_of(request);
  if (!with) return with.error();
  std::size_t elements = is_one_job(request) ? 0 : Submission::max_elements;
  Submission submission(job_tag_of(request), request.agents, elements, {});
  std::vector<std::string> pieces;
  while (submission.next().what == Submission::What::submit) {
    Result<JobScript> script = job_script(request, *with, submission, request.folder);
    if (!script) return script.error();
    auto argv =
        sbatch_argv(request, submission.batch(), submission.array(), *script, {}, {}, submitter_.site());
    if (!argv) return argv.error();
    pieces.push_back(paste_text(*argv, script->text));
    submission.on_rendered();
  }
  return Rendered{join(pieces, "\n")};
}

// --- start ---

void SlurmPlugin::start(const LaunchRequest& request, Answer<Plugin::Jobs> answer) {
  if (closing_) return answer(Error{"the session has ended"});
  if (is_step(request)) return answer(steps_.start(request));
  if (request.running) return take_up_again(request, answer);
  if (request.folder.empty())
    return answer(Error{"Slurm's jobs need a folder that the nodes see, too, and the session has made none"});
  Result<Done> begun = submitter_.submit(request, jobs_.bad_nodes().excluded(),
                                         [this, request, answer](const Submission& submission) {
                                           if (closing_) on_ended_meanwhile(request, submission, answer);
                                           else on_submitted(request, submission, answer);
                                           check_empty();
                                         });
  if (!begun) answer(begun.error());
}

void SlurmPlugin::add(const LaunchRequest& request, JobPlace place) {
  folders_.try_emplace(request.folder, request.folder, logs_of(request, request.folder));
  folder_of_[place.name.id] = request.folder;
  if (place.name.is_rank) ranks_[place.name.id].push_back(place.name);
  jobs_.add(now(), std::move(place), request.stays, request.finishes);
}

// What was taken is followed, whatever became of the rest.
void SlurmPlugin::on_submitted(const LaunchRequest& request, const Submission& submission,
                               const Answer<Plugin::Jobs>& answer) {
  Plugin::Jobs names;
  for (const TakenBatch& taken : submission.taken()) {
    for (std::size_t i = 0; i < taken.batch.agents; ++i) {
      JobName name{taken.job.id, static_cast<std::uint32_t>(i), has_ranks(request)};
      names.push_back(name.text());
      add(request, {name, taken.batch.job_tag, taken.job.cluster});
    }
  }
  cancel_doubtful(request, submission);
  std::vector<JobReport> refused = reports_of_rest(request, submission);
  Plugin::Jobs all = names;
  for (const JobReport& each : refused) all.push_back(each.job);
  answer(all);
  for (JobReport& each : refused) tell_(std::move(each));
  // They may have begun before sbatch came back.
  for (const std::string& name : names) look_at(name);
  scan_later();
  poller_.wake();
}

void SlurmPlugin::cancel_strays(const std::vector<SubmittedJob>& strays) {
  std::map<std::string, std::vector<std::string>> by_cluster;
  for (const SubmittedJob& stray : strays) by_cluster[stray.cluster].push_back(stray.id);
  for (const auto& [cluster, ids] : by_cluster) {
    spdlog::warn("jobs {} were submitted twice, and are cancelled", printable(join(ids, ", ")));
    canceller_.cancel_ids(ids, cluster);
  }
}

// A job of which nobody knows whether it was taken.
void SlurmPlugin::cancel_doubtful(const LaunchRequest& request, const Submission& submission) {
  bool has_name = tag_place_of(request) == TagPlace::name;
  if (submission.is_in_doubt() && has_name)
    canceller_.cancel_tagged(submission.batch().job_tag, submission.clusters());
}

// Names that no job of Slurm's has carry the news of what was not taken.
std::vector<JobReport> SlurmPlugin::reports_of_rest(const LaunchRequest& request,
                                                    const Submission& submission) {
  std::size_t taken = submission.agents_taken();
  std::vector<JobReport> reports;
  if (taken == request.agents) return reports;
  JobReport report;
  report.state = JobState::failed;
  report.cause = submission.failure().cause;
  report.message = submission.failure().message;
  if (taken > 0) {
    report.message += "; before that it took " + std::to_string(taken) + " of " +
                      std::to_string(request.agents) + " jobs, which stay";
  }
  std::string base = "not-submitted-" + std::to_string(++last_failed_);
  for (std::size_t i = taken; i < request.agents; ++i) {
    report.job = base + "_" + std::to_string(i);
    reports.push_back(report);
  }
  return reports;
}

// The session has ended: what was taken for it goes, unless it is to stay.
void SlurmPlugin::on_ended_meanwhile(const LaunchRequest& request, const Submission& submission,
                                     const Answer<Plugin::Jobs>& answer) {
  for (const TakenBatch& taken : submission.taken()) {
    if (!request.stays) canceller_.cancel_ids({taken.job.id}, taken.job.cluster);
  }
  cancel_doubtful(request, submission);
  answer(Error{"the session has ended"});
}

// The jobs live on without a plugin; this one follows them, and can cancel them.
void SlurmPlugin::take_up_again(const LaunchRequest& request, const Answer<Plugin::Jobs>& answer) {
  if (tag_place_of(request) == TagPlace::comment) poller_.use_comments();
  std::string clusters = submitter_.clusters_for(request);
  std::string id;
  std::string job_tag;
  for (std::size_t i = 0; i < request.jobs.size(); ++i) {
    std::optional<JobName> name = parse_job_name(request.jobs[i]);
    if (!name) continue;
    if (name->id != id) job_tag = batch_tag(job_tag_of(request), i);
    id = name->id;
    add(request, {*name, job_tag, clusters});
  }
  answer(request.jobs);
  scan_later();
  poller_.wake();
}

// --- what the jobs tell ---

void SlurmPlugin::scan_later() {
  std::vector<const SlurmJob*> live = jobs_.live();
  if (live.empty() || closing_) return;
  SlurmTime youngest = live.front()->since;
  for (const SlurmJob* job : live) youngest = std::max(youngest, job->since);
  scan_timer_.expires_after(scan_pause(now() - youngest));
  scan_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    scan();
    scan_later();
  });
}

void SlurmPlugin::scan() {
  for (auto& [path, folder] : folders_) {
    for (const std::string& name : folder.changed()) look_at_file(path, name);
  }
  poller_.wake();
}

void SlurmPlugin::look_at_file(const std::string& folder, const std::string& name) {
  std::string id = name.substr(0, name.find('_'));
  auto known = folder_of_.find(id);
  if (known == folder_of_.end() || known->second != folder) return;
  auto ranks = ranks_.find(id);
  if (ranks == ranks_.end()) return look_at(name);
  for (const JobName& rank : ranks->second) {
    bool is_of_it = name == id || name == id + "_" + std::to_string(rank.number);
    if (is_of_it) look_at(rank.text());
  }
}

void SlurmPlugin::look_at(const std::string& job) {
  const SlurmJob* known = jobs_.find(job);
  if (known == nullptr || known->phase == SlurmJob::Phase::over) return;
  const JobName& name = known->place.name;
  const JobFolder& folder = folders_.at(folder_of_.at(name.id));
  StatusFile status_file = folder.status_file(name);
  std::string log = status_file.exit_code ? folder.log(name) : std::string();
  tell(jobs_.on_status_file(now(), job, status_file, log));
}

void SlurmPlugin::tell(SlurmJobs::News news) {
  for (JobReport& report : news) {
    const SlurmJob* job = jobs_.find(report.job);
    if (job != nullptr && job->fate.is_given_up()) canceller_.cancel(report.job);
    if (report.state == JobState::ended && job != nullptr) complete(report, *job);
    tell_(std::move(report));
  }
  check_empty();
}

// Slurm may have written into the log meanwhile why it has ended the job.
void SlurmPlugin::complete(JobReport& report, const SlurmJob& job) const {
  const JobFolder& folder = folders_.at(folder_of_.at(job.place.name.id));
  if (report.cause == cause::folder_missing) {
    // What it wrote may have come into sight since.
    bool is_seen = folder.status_file(job.place.name).started || !folder.log(job.place.name).empty();
    if (is_seen) report.cause = cause::none;
    else report.message += folder_advice(folder.logs());
  }
  if (!report.log.empty() && report.cause != cause::none) return;
  std::string log = folder.log(job.place.name);
  if (!log.empty()) report.log.clear();
  add_log(report, std::move(log), job.status_file.restart == 0);
}

// --- what Slurm tells ---

JobReport SlurmPlugin::known(const std::string& job) const {
  return jobs_.report_of(job).value_or(JobReport{});
}

void SlurmPlugin::poll(const std::string& job, Answer<JobReport> answer) {
  if (std::optional<JobReport> step = steps_.report_of(job)) return answer(*step);
  if (jobs_.find(job) == nullptr) return answer(Error{"there is no job " + printable(job, 60) + " here"});
  look_at(job);
  const SlurmJob* found = jobs_.find(job);
  if (found->phase == SlurmJob::Phase::running) {
    const JobName& name = found->place.name;
    tell(jobs_.on_log(now(), job, folders_.at(folder_of_.at(name.id)).log(name)));
  }
  if (is_over(known(job))) return answer(known(job));
  jobs_.on_suspicion(now(), job);
  // What Slurm says later is told as news.
  if (!poller_.asks_soon()) answer(known(job));
  else polls_.push_back({job, now(), std::move(answer)});
  poller_.wake();
}

void SlurmPlugin::on_answered(SlurmTime asked) {
  std::vector<Waiting> later;
  for (Waiting& each : std::exchange(polls_, {})) {
    bool must_wait = each.since > asked && poller_.asks_soon() && !is_over(known(each.job));
    if (must_wait) later.push_back(std::move(each));
    else each.answer(known(each.job));
  }
  polls_.insert(polls_.end(), std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()));
}

// --- ends ---

void SlurmPlugin::cancel(const std::string& job, Answer<Done> answer) {
  if (!steps_.cancel(job)) canceller_.cancel(job);
  answer(Done{});
}

void SlurmPlugin::close(std::function<void()> done) {
  closing_ = true;
  on_empty_ = std::move(done);
  scan_timer_.cancel();
  submitter_.close();
  steps_.close();
  poller_.close();
  std::vector<std::string> names;
  for (const SlurmJob* job : jobs_.live()) {
    bool finishes = job->finishes && job->phase == SlurmJob::Phase::running;
    if (!job->stays && !finishes) names.push_back(job->place.name.text());
  }
  canceller_.cancel_now(names);
  // What sbatch has not said by then, nobody knows: its job is cancelled by its name.
  end_timer_.expires_after(time_to_close);
  end_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) programs_.stop(SlurmPrograms::Kind::submission);
  });
  check_empty();
}

void SlurmPlugin::check_empty() {
  if (!on_empty_ || canceller_.size() > 0 || submitter_.size() > 0 || steps_.size() > 0) return;
  // What was told must get out before the program ends.
  asio::post(end_timer_.get_executor(), std::exchange(on_empty_, nullptr));
}

}  // namespace tenkai::slurm
