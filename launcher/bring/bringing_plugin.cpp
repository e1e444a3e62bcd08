#include "launcher/bring/bringing_plugin.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "launcher/bring/offers.h"
#include "launcher/plugin/failure.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

// An R that has not failed by then has found its package; the credential is forgotten.
constexpr std::chrono::seconds time_to_fail{120};

// The options that say where a command runs, and by which R.
std::string key_of(const LaunchRequest& request) {
  std::vector<std::string> parts;
  for (const auto& [name, texts] : request.options) {
    if (name != "tunnel" && name != "timeout") parts.push_back(name + "=" + join(texts, ","));
  }
  parts.insert(parts.end(), request.command.begin(), request.command.end() - 1);
  return join(parts, "\n");
}

bool may_bring(const LaunchRequest& request) {
  return !request.running && request.option("bring") != "0" && request.agents == 1 &&
         bring::is_our_call(request.command);
}

FailureCause cause_of(const JobReport& report) {
  return judge({report.exit_code, report.signal, report.log, report.where, {}}).cause;
}

void ignore(const Result<Done>&) {}

// A package that is compiled on a slow machine takes some minutes.
constexpr std::chrono::minutes time_to_bring{15};

// What is asked there, and sent there, is no launch.
LaunchRequest step_of(LaunchRequest request, std::string call, std::string input) {
  request.command.back() = std::move(call);
  request.input = std::move(input);
  request.options.erase("tunnel");
  request.options.erase("keep-input");
  request.urls.clear();
  request.stays = request.finishes = false;
  return request;
}

}  // namespace

BringingPlugin::BringingPlugin(asio::any_io_executor executor, Tell tell, const MakePlugin& make)
    : executor_(executor),
      tell_(std::move(tell)),
      programs_(executor),
      inner_(make(executor, [this](JobReport report) { on_news(std::move(report)); })) {}

BringingPlugin::~BringingPlugin() { *alive_ = false; }

void BringingPlugin::start(const LaunchRequest& request, Answer<Jobs> answer) {
  if (!may_bring(request)) return inner_->start(request, std::move(answer));
  LaunchRequest first = request;
  auto place = places_.find(key_of(request));
  bool is_ready = place != places_.end() && place->second.is_ready;
  if (is_ready) first.command.back() = with_brought(first.command.back(), place->second.brought);
  inner_->start(first, [this, request, is_ready, answer = std::move(answer)](const Result<Jobs>& jobs) {
    if (jobs && jobs->size() == 1) keep(jobs->front(), request, is_ready);
    answer(jobs);
  });
}

void BringingPlugin::keep(const std::string& name, const LaunchRequest& request, bool has_brought) {
  Job& job = jobs_[name];
  job.name = job.runs = name;
  job.request = request;
  job.has_brought = has_brought;
  job.limit = std::make_unique<asio::steady_timer>(executor_, time_to_fail);
  job.limit->async_wait([this, name, alive = alive_](boost::system::error_code failed) {
    if (failed || !*alive) return;
    auto found = jobs_.find(name);
    if (found == jobs_.end()) return;
    found->second.may_bring = false;
    wipe(found->second.request.input);
  });
}

BringingPlugin::Job* BringingPlugin::job_that_runs(const std::string& inner) {
  for (auto& [name, job] : jobs_) {
    if (job.runs == inner) return &job;
  }
  return nullptr;
}

bool BringingPlugin::can_be_helped(const Job& job, const JobReport& report) const {
  if (!job.may_bring || closing_ || report.state != JobState::ended || report.exit_code.value_or(0) == 0)
    return false;
  FailureCause cause = cause_of(report);
  return cause == cause::package_missing || cause == cause::program_missing || cause == cause::version;
}

void BringingPlugin::on_news(JobReport report) {
  bool is_over = report.state == JobState::ended || report.state == JobState::failed;
  if (auto step = steps_.find(report.job); step != steps_.end()) {
    if (!is_over) return;
    bring::Bringing::OnEnd on_end = std::move(step->second);
    steps_.erase(step);
    return on_end(report);
  }
  Job* job = job_that_runs(report.job);
  if (job == nullptr) return tell_(std::move(report));
  if (can_be_helped(*job, report)) return wait_for_it(*job, std::move(report));
  report.job = job->name;
  if (is_over) return finish(job->name, std::move(report));
  tell_(std::move(report));
}

// Its name is copied: mostly it is that of the job that goes.
void BringingPlugin::finish(std::string name, JobReport report) {
  auto found = jobs_.find(name);
  if (found != jobs_.end()) {
    wipe(found->second.request.input);
    jobs_.erase(found);
  }
  report.job = std::move(name);
  tell_(std::move(report));
}

void BringingPlugin::wait_for_it(Job& job, JobReport end) {
  job.runs.clear();
  job.limit.reset();
  job.may_bring = false;
  job.last.job = job.name;
  job.last.state = JobState::starting;
  job.last.where = end.where;
  // Its silence is no end.
  job.last.suspended = true;
  job.last.message = "tenkai " + std::string(program_version) + " is brought along" +
                     (end.where.empty() ? "" : " to " + end.where);
  job.last.note = job.last.message;
  job.end = std::move(end);
  std::string key = key_of(job.request);
  // Where a command gets no input, its credential lies in a folder that is there, too.
  std::string folder = job.request.input.empty() ? job.request.folder : "";
  LaunchRequest request = job.request;
  wipe(request.input);
  Place& place = places_[key];
  // Somebody has removed what was brought.
  if (job.has_brought) place.is_ready = false;
  std::string name = job.name;
  tell_(job.last);
  if (place.is_ready) return run_again(name, place.brought);
  place.waiting.push_back(name);
  if (!place.bringing) bring_to(key, request, folder);
}

void BringingPlugin::bring_to(const std::string& key, const LaunchRequest& request,
                              const std::string& folder) {
  places_[key].bringing = std::make_unique<bring::Bringing>(
      programs_, bring::find_offers(), folder,
      [this, key, request](std::string call, std::string input, bring::Bringing::OnEnd on_end) {
        LaunchRequest step = step_of(request, std::move(call), std::move(input));
        inner_->start(step, [this, key, on_end = std::move(on_end)](const Result<Jobs>& jobs) {
          if (jobs && jobs->size() == 1) {
            places_[key].step = jobs->front();
            steps_[jobs->front()] = on_end;
            return;
          }
          JobReport report;
          report.message = jobs ? "it was not begun" : jobs.error().message;
          asio::post(executor_, [on_end, report] { on_end(report); });
        });
      },
      [this, key, alive = alive_](const Result<Brought>& brought) {
        // Not now: who tells is at work.
        asio::post(executor_, [this, alive, key, brought] {
          if (*alive) on_brought(key, brought);
        });
      });
  places_[key].bringing->begin();
  limit_time(key);
  if (request.options.count("remote") != 0) hold_connection(key, request);
}

void BringingPlugin::limit_time(const std::string& key) {
  places_[key].limit = std::make_unique<asio::steady_timer>(executor_, time_to_bring);
  places_[key].limit->async_wait([this, key, alive = alive_](boost::system::error_code failed) {
    if (!failed && *alive && places_[key].bringing)
      on_brought(key, Error{"it took longer than " + std::to_string(time_to_bring.count()) + " minutes"});
  });
}

// One that carries nothing is closed, and to pack takes its time.
void BringingPlugin::hold_connection(const std::string& key, const LaunchRequest& request) {
  LaunchRequest hold = step_of(request, "", "");
  hold.command = {"cat"};
  hold.options["keep-input"] = {"1"};
  inner_->start(hold, [this, key](const Result<Jobs>& jobs) {
    if (!jobs || jobs->size() != 1) return;
    places_[key].hold = jobs->front();
    steps_[jobs->front()] = [](const JobReport&) {};
  });
}

void BringingPlugin::on_brought(const std::string& key, const Result<Brought>& brought) {
  Place& place = places_[key];
  place.bringing.reset();
  place.limit.reset();
  if (std::string step = std::exchange(place.step, {}); !brought && steps_.erase(step) != 0) {
    // Its news are heard, and dropped.
    steps_[step] = [](const JobReport&) {};
    inner_->cancel(step, ignore);
  }
  place.is_ready = static_cast<bool>(brought);
  if (brought) place.brought = *brought;
  for (const std::string& name : std::exchange(place.waiting, {})) {
    if (brought) run_again(name, *brought);
    else give_up(name, brought.error().message);
  }
  if (!place.hold.empty()) inner_->cancel(std::exchange(place.hold, {}), ignore);
}

void BringingPlugin::run_again(const std::string& name, const Brought& brought) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  LaunchRequest request = found->second.request;
  wipe(found->second.request.input);
  request.command.back() = with_brought(request.command.back(), brought);
  inner_->start(request, [this, name](const Result<Jobs>& jobs) {
    auto job = jobs_.find(name);
    if (job == jobs_.end()) return;
    if (!jobs || jobs->size() != 1) return give_up(name, jobs ? "it was not begun" : jobs.error().message);
    job->second.runs = jobs->front();
  });
}

// As it ended by itself, and why that could not be helped.
void BringingPlugin::give_up(const std::string& name, const std::string& why) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  JobReport report = found->second.end;
  Failure failure = judge({report.exit_code, report.signal, report.log, report.where, {}});
  report.cause = failure.cause;
  report.message = failure.message + "; " + std::string(not_brought_along) + why;
  finish(name, std::move(report));
}

void BringingPlugin::drop(const std::string& name, const std::string& why) {
  JobReport report;
  report.state = JobState::ended;
  report.message = why;
  finish(name, std::move(report));
  for (auto& [key, place] : places_) {
    std::erase(place.waiting, name);
    if (!place.waiting.empty() || !place.bringing) continue;
    for (const std::string& job : {place.step, place.hold}) inner_->cancel(job, ignore);
  }
}

void BringingPlugin::poll(const std::string& name, Answer<JobReport> answer) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return inner_->poll(name, std::move(answer));
  if (found->second.runs.empty()) return answer(found->second.last);
  inner_->poll(found->second.runs, [name, answer = std::move(answer)](Result<JobReport> report) {
    if (report) report->job = name;
    answer(std::move(report));
  });
}

void BringingPlugin::cancel(const std::string& name, Answer<Done> answer) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return inner_->cancel(name, std::move(answer));
  if (!found->second.runs.empty()) return inner_->cancel(found->second.runs, std::move(answer));
  answer(Done{});
  drop(name, "it was cancelled");
}

void BringingPlugin::close(std::function<void()> done) {
  closing_ = true;
  std::vector<std::string> waiting;
  for (const auto& [name, job] : jobs_) {
    if (job.runs.empty()) waiting.push_back(name);
  }
  for (const std::string& name : waiting) drop(name, "the session ended before it began");
  inner_->close(std::move(done));
}

}  // namespace tenkai
