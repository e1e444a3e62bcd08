#include "plugins/slurm/queue_poller.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <set>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace tenkai::slurm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds queue_limit{30};
constexpr seconds accounts_limit{15};
// What comes within this is one query.
constexpr milliseconds gather{150};
// Linux takes no longer argument.
constexpr std::size_t max_argument = 100'000;

// As sacct wants it. A day before this program began: it may have taken jobs up.
std::string a_day_ago() {
  std::time_t time = std::time(nullptr) - 24 * 3600;
  std::tm local{};
  ::localtime_r(&time, &local);
  char text[32] = "";
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
  return text;
}

bool bears(const JobLine& line, const std::string& job_tag) {
  std::vector<std::string_view> pieces = split(line.job_tag, '|');
  return std::find(pieces.begin(), pieces.end(), job_tag) != pieces.end();
}

std::string why_not(const SlurmOutcome& outcome, const std::string& program) {
  if (outcome.missing) return "there is no " + program + " in the PATH";
  if (outcome.timed_out) return program + " did not end in time";
  std::string words = own_words(outcome.errors);
  return words.empty() ? program + " has failed" : words;
}

}  // namespace

std::vector<std::string> queue_argv(const std::vector<std::string>& job_tags, bool by_comment,
                                    const std::vector<std::string>& clusters) {
  std::vector<std::string> argv{"squeue", "-h", "--user=" + std::to_string(::geteuid()), "--states=all"};
  if (!clusters.empty()) argv.push_back("--clusters=" + join(clusters, ","));
  std::string names = join(job_tags, ",");
  if (!by_comment && names.size() < max_argument) argv.push_back("--name=" + names);
  argv.emplace_back("-o");
  argv.push_back(std::string(queue_format) + (by_comment ? "%j|%k" : "%j"));
  return argv;
}

std::vector<std::string> accounts_argv(const std::vector<std::string>& ids, const std::string& since,
                                       const std::vector<std::string>& clusters) {
  std::vector<std::string> argv{"sacct",
                                "-X",
                                "--noheader",
                                "--parsable2",
                                "--format=" + std::string(accounts_format),
                                "--starttime=" + since,
                                "--jobs=" + join(ids, ",")};
  if (!clusters.empty()) argv.push_back("--clusters=" + join(clusters, ","));
  return argv;
}

std::vector<std::string> all_clusters(const std::vector<std::string>& texts) {
  std::set<std::string> found;
  for (const std::string& text : texts) {
    for (std::string_view cluster : split(text, ',')) {
      if (!cluster.empty()) found.emplace(cluster);
    }
  }
  return {found.begin(), found.end()};
}

QueuePoller::QueuePoller(asio::any_io_executor executor, SlurmJobs& jobs, SlurmPrograms& programs,
                         Callbacks callbacks)
    : jobs_(jobs),
      programs_(programs),
      callbacks_(std::move(callbacks)),
      timer_(executor),
      since_(a_day_ago()) {}

void QueuePoller::look_up(const std::string& job_tag, const std::string& clusters, LookedUp done) {
  look_ups_.push_back({job_tag, clusters, std::move(done)});
  wake();
}

bool QueuePoller::asks_soon() const {
  std::optional<SlurmTime> due = jobs_.query_due();
  return !closed_ && due && *due <= now() && budget_.allows(now());
}

std::optional<SlurmTime> QueuePoller::due() const {
  std::optional<SlurmTime> when = jobs_.query_due();
  if (!look_ups_.empty()) when = now();
  if (jobs_.timer_due() && (!when || *jobs_.timer_due() < *when)) when = jobs_.timer_due();
  return when;
}

void QueuePoller::wake() {
  if (closed_) return;
  if (!jobs_.accounts_wanted().empty()) ask_accounts();
  std::optional<SlurmTime> query = jobs_.query_due();
  if (!look_ups_.empty()) query = now();
  if (asking_) query.reset();
  if (query) query = std::max({*query, budget_.next(now()), now() + gather});
  std::optional<SlurmTime> timer = jobs_.timer_due();
  if (!query && !timer) return void(timer_.cancel());
  timer_.expires_at(query && timer ? std::min(*query, *timer) : query ? *query : *timer);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled || closed_) return;
    callbacks_.tell(jobs_.on_timer(now()));
    std::optional<SlurmTime> due = jobs_.query_due();
    bool is_due = !look_ups_.empty() || (due && *due <= now());
    if (is_due && !asking_ && budget_.allows(now())) return ask();
    wake();
  });
}

std::vector<std::string> QueuePoller::clusters() const {
  std::vector<std::string> texts;
  for (const SlurmJob* job : jobs_.live()) texts.push_back(job->place.cluster);
  for (const LookUp& each : look_ups_) texts.push_back(each.clusters);
  return all_clusters(texts);
}

void QueuePoller::ask() {
  asking_ = true;
  SlurmTime asked = now();
  budget_.take(asked);
  std::vector<std::string> job_tags = jobs_.job_tags();
  for (const LookUp& each : look_ups_) job_tags.push_back(each.job_tag);
  std::vector<std::string> argv = queue_argv(job_tags, by_comment_, clusters());
  programs_.run(SlurmPrograms::Kind::query, std::move(argv), queue_limit,
                [this, asked, look_ups = std::exchange(look_ups_, {})](const SlurmOutcome& outcome) {
                  on_queue(asked, look_ups, outcome);
                });
}

void QueuePoller::on_queue(SlurmTime asked, std::vector<LookUp> look_ups, const SlurmOutcome& outcome) {
  asking_ = false;
  std::vector<JobLine> lines;
  if (outcome.is_good()) {
    lines = parse_queue(outcome.output);
    callbacks_.tell(jobs_.on_queue(asked, now(), lines));
    std::vector<SubmittedJob> strays = jobs_.strays(lines);
    if (!strays.empty()) callbacks_.strays(strays);
  } else {
    std::string why = why_not(outcome, "squeue");
    spdlog::warn("Slurm does not tell of jobs: {}", printable(why));
    jobs_.on_no_answer(asked, why);
  }
  for (const LookUp& each : look_ups) {
    std::optional<SubmittedJob> found;
    for (const JobLine& line : lines) {
      if (bears(line, each.job_tag)) found = SubmittedJob{line.id, line.cluster};
    }
    each.done(outcome.is_good(), found);
  }
  callbacks_.answered(asked);
  wake();
}

void QueuePoller::ask_accounts() {
  if (asking_accounts_) return;
  if (!has_accounts_) return callbacks_.tell(jobs_.on_accounts(now(), {}));
  asking_accounts_ = true;
  programs_.run(SlurmPrograms::Kind::query, accounts_argv(jobs_.accounts_wanted(), since_, clusters()),
                accounts_limit, [this](const SlurmOutcome& outcome) {
                  asking_accounts_ = false;
                  // Many sites have no database. One that is slow may be quicker next time.
                  bool is_disabled =
                      outcome.errors.find("accounting storage is disabled") != std::string::npos;
                  if (outcome.missing || is_disabled) has_accounts_ = false;
                  callbacks_.tell(jobs_.on_accounts(now(), parse_accounts(outcome.output)));
                  wake();
                });
}

void QueuePoller::close() {
  closed_ = true;
  timer_.cancel();
  for (const LookUp& each : std::exchange(look_ups_, {})) each.done(false, std::nullopt);
}

}  // namespace tenkai::slurm
