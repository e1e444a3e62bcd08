#include "plugins/mpi/mpi_ranks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "launcher/plugin/failure.h"
#include "plugins/mpi/rank_line.h"

namespace tenkai::mpi {
namespace {

constexpr std::size_t max_log = 4096;
// How many bytes a line may have; nobody writes longer ones to tell us something.
constexpr std::size_t max_line = 65536;

}  // namespace

MpiRanks::MpiRanks(const std::vector<std::string>& jobs) : ranks_(jobs.size()) {
  for (std::size_t i = 0; i < jobs.size(); ++i) ranks_[i].last.job = jobs[i];
}

MpiRanks::News MpiRanks::on_begun() {
  News news;
  for (Rank& rank : ranks_) {
    rank.last.state = JobState::starting;
    news.push_back(rank.last);
  }
  return news;
}

MpiRanks::News MpiRanks::on_output(std::string_view bytes) {
  News news;
  line_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end; (end = line_.find('\n', begin)) != line_.npos; begin = end + 1) {
    on_line(std::string_view(line_).substr(begin, end - begin), news);
  }
  line_.erase(0, begin);
  if (line_.size() > max_line) on_line(std::exchange(line_, {}), news);
  return news;
}

void MpiRanks::on_line(std::string_view line, News& news) {
  std::optional<RankLine> told = parse_rank_line(line);
  if (!told) {
    // mpirun draws lines around what it says.
    if (!line.empty() && line.find_first_not_of('-') == line.npos) return;
    log_ += std::string(line) + "\n";
    return keep_last_lines(log_, max_log);
  }
  if (told->what == RankLine::What::refused) {
    refused_ = told->text;
    return;
  }
  if (told->rank >= ranks_.size() || ranks_[told->rank].over) return;
  Rank& rank = ranks_[told->rank];
  if (told->what == RankLine::What::started) {
    rank.started = true;
    rank.last.where = told->text;
    news.push_back(rank.last);
    return;
  }
  JobReport report = rank.last;
  report.state = JobState::ended;
  report.exit_code = told->exit_code;
  report.signal = told->signal;
  report.log = told->text;
  end(rank, std::move(report), news);
}

void MpiRanks::end(Rank& rank, JobReport report, News& news) {
  if (rank.cancelled) {
    report.state = JobState::ended;
    report.cause = cause::cancelled;
    report.message = "it was cancelled by its session";
  }
  rank.over = true;
  rank.last = report;
  news.push_back(std::move(report));
}

MpiRanks::News MpiRanks::on_mpirun_ended(const Ended& how) {
  News news;
  if (!line_.empty()) on_line(std::exchange(line_, {}), news);
  for (Rank& rank : ranks_) {
    if (!rank.over) end(rank, end_with_mpirun(rank, how), news);
  }
  return news;
}

JobReport MpiRanks::end_with_mpirun(const Rank& rank, const Ended& how) const {
  JobReport report = rank.last;
  report.exit_code = how.exit_code;
  report.signal = how.signal;
  report.log = log_;
  if (!refused_.empty()) {
    report.state = JobState::failed;
    report.cause = cause::spawn_refused;
    report.message = "MPI did not start " + counted(ranks_.size(), "process", "processes") + ": " + refused_;
    // mpirun has a lot to say, of this and of the MPI_Abort() by which it ends; it begins
    // with the reason. The rest is in the log.
    std::string_view why = trim(std::string_view(log_).substr(0, log_.find("MPI_ABORT was invoked")));
    why = why.substr(0, why.find("\n\n"));
    if (!why.empty()) report.message += "; mpirun wrote:\n" + std::string(why);
    return report;
  }
  report.state = JobState::ended;
  if (rank.started) report.message = "mpirun, which held it, has ended";
  return report;
}

void MpiRanks::cancel(const std::string& job) {
  for (Rank& rank : ranks_) rank.cancelled = rank.cancelled || rank.last.job == job;
}

void MpiRanks::cancel_all() {
  for (Rank& rank : ranks_) rank.cancelled = true;
}

bool MpiRanks::all_started() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.started; });
}

bool MpiRanks::all_cancelled() const {
  return std::all_of(ranks_.begin(), ranks_.end(),
                     [](const Rank& rank) { return rank.cancelled || rank.over; });
}

bool MpiRanks::all_over() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.over; });
}

const JobReport* MpiRanks::find(const std::string& job) const {
  auto found =
      std::find_if(ranks_.begin(), ranks_.end(), [&job](const Rank& rank) { return rank.last.job == job; });
  return found == ranks_.end() ? nullptr : &found->last;
}

}  // namespace tenkai::mpi
