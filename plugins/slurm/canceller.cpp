#include "plugins/slurm/canceller.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "base/text.h"

namespace tenkai::slurm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds gather_ends{100};
constexpr seconds scancel_limit{20};
constexpr seconds retry_pause{2};
constexpr int max_tries = 3;

// Whether an argument of scancel speaks of a job: "5", "5_3".
bool is_named(const std::vector<std::string>& argv, const JobName& job) {
  return std::any_of(argv.begin(), argv.end(),
                     [&job](const std::string& word) { return word == job.id || word == job.text(); });
}

}  // namespace

void Canceller::cancel(const std::string& name) {
  const SlurmJob* job = jobs_.find(name);
  if (job == nullptr || job->phase == SlurmJob::Phase::over || job->fate.is_cancelled()) return;
  waiting_.push_back(name);
  if (waiting_.size() > 1) return;
  timer_.expires_after(gather_ends);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) cancel_now({});
  });
}

void Canceller::cancel_now(const std::vector<std::string>& names) {
  timer_.cancel();
  std::vector<std::string> all = std::exchange(waiting_, {});
  all.insert(all.end(), names.begin(), names.end());
  std::vector<std::vector<std::string>> calls = cancel_calls(jobs_, all);
  for (const std::string& name : all) jobs_.on_cancelling(name);
  for (std::vector<std::string>& argv : calls) {
    std::vector<std::string> gone;
    for (const SlurmJob* job : jobs_.live()) {
      if (job->fate.is_cancelled() && is_named(argv, job->place.name)) gone.push_back(job->place.name.text());
    }
    run(std::move(argv), std::move(gone), 1);
  }
}

void Canceller::cancel_ids(const std::vector<std::string>& ids, const std::string& cluster) {
  for (std::vector<std::string>& argv : in_chunks(ids, cluster)) run(std::move(argv), {}, 1);
}

void Canceller::cancel_tagged(const std::string& job_tag, const std::string& clusters) {
  run(cancel_by_name(job_tag, clusters), {}, max_tries);
}

void Canceller::run(std::vector<std::string> argv, std::vector<std::string> names, int tries) {
  ++running_;
  std::vector<std::string> again = argv;
  programs_.run(SlurmPrograms::Kind::query, std::move(argv), scancel_limit,
                [this, again, names, tries](const SlurmOutcome& outcome) {
                  --running_;
                  if (outcome.is_good()) {
                    SlurmJobs::News news;
                    for (const std::string& name : names) {
                      for (JobReport& each : jobs_.on_cancelled(std::chrono::steady_clock::now(), name))
                        news.push_back(std::move(each));
                    }
                    callbacks_.tell(std::move(news));
                    return callbacks_.ended();
                  }
                  spdlog::warn("scancel has failed: {}", printable(own_words(outcome.errors)));
                  if (tries >= max_tries || outcome.missing) {
                    for (const std::string& name : names)
                      jobs_.on_suspicion(std::chrono::steady_clock::now(), name);
                    return callbacks_.ended();
                  }
                  ++running_;
                  auto timer = std::make_shared<asio::steady_timer>(executor_, retry_pause);
                  timer->async_wait([this, again, names, tries, timer](boost::system::error_code) {
                    --running_;
                    run(again, names, tries + 1);
                  });
                });
}

}  // namespace tenkai::slurm
