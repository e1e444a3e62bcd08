// A working day of a large session, in a moment: how often is Slurm asked?
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "plugins/slurm/slurm_jobs.h"
#include "tests/catch.h"
#include "tests/plugin_slurm/jobs_fixture.h"

using namespace tenkai;
using namespace tenkai::slurm;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

// Slurm, as far as squeue shows it, and the jobs themselves.
struct Simulated {
  std::string name;
  std::uint32_t number = 0;
  seconds starts{0};
  seconds ends{0};
  bool tells = true;     // its exit; else its node was lost
  bool starves = false;  // it waits all day
  bool told_start = false;
  bool told_end = false;
};

class Day {
 public:
  explicit Day(unsigned seed) : chance_(seed) {
    // 1,000 daemons come in ten launches, the first at once, the others over the first hours.
    for (std::uint32_t launch = 0; launch < 10; ++launch) {
      for (std::uint32_t i = 0; i < 100; ++i) all_.push_back(made(launch, i));
    }
  }

  int queries() const { return queries_; }
  std::size_t ends() const { return ends_; }
  std::size_t lives() const { return jobs_.live().size(); }

  void run() {
    for (seconds at{0}; at < hours(8); at += seconds(5)) {
      SlurmTime now = noon + at;
      if (at.count() % 900 == 0 && at.count() / 900 < 10)
        submit(static_cast<std::uint32_t>(at.count() / 900), now);
      tell(at, now);
      ends_ += count_ends(jobs_.on_timer(now));
      auto due = jobs_.query_due();
      if (due && *due <= now && budget_.allows(now)) ask(at, now);
    }
  }

 private:
  Simulated made(std::uint32_t launch, std::uint32_t i) {
    Simulated job;
    job.number = i;
    job.name = JobName{std::to_string(launch + 1), i, false}.text();
    int submitted = static_cast<int>(launch) * 900;
    job.starts = seconds(submitted + below(i % 10 == 0 ? 9000 : 300));
    job.ends = job.starts + seconds(600 + below(40000));
    job.tells = below(100) != 0;
    job.starves = below(50) == 0;
    return job;
  }

  int below(int limit) { return static_cast<int>(chance_() % static_cast<unsigned>(limit)); }

  void submit(std::uint32_t launch, SlurmTime now) {
    std::string id = std::to_string(launch + 1);
    for (std::uint32_t i = 0; i < 100; ++i) jobs_.add(now, place_of(id, i, "t-" + id), false);
  }

  void tell(seconds at, SlurmTime now) {
    for (Simulated& job : all_) {
      if (job.starves || jobs_.find(job.name) == nullptr) continue;
      if (!job.told_start && job.starts <= at) {
        job.told_start = true;
        jobs_.on_status_file(now, job.name, started_on("n1"), "");
      }
      if (job.told_end || job.ends > at) continue;
      job.told_end = true;
      // A few end by signals, of which Slurm may know more.
      if (job.tells) {
        ends_ += count_ends(jobs_.on_status_file(now, job.name, exited("n1", below(200) == 0 ? 137 : 0), ""));
      } else {
        jobs_.on_suspicion(now, job.name);
      }
    }
  }

  void ask(seconds at, SlurmTime now) {
    ++queries_;
    budget_.take(now);
    std::string text;
    for (const Simulated& job : all_) {
      if (jobs_.find(job.name) == nullptr) continue;
      std::string word = job.starves || job.starts > at ? "PENDING|Priority|" : "RUNNING|None|n1";
      if (!job.starves && job.ends <= at) word = job.tells ? "COMPLETED|None|n1" : "NODE_FAIL|None|n1";
      text += job.name + "|" + word + "|t\n";
    }
    ends_ += count_ends(jobs_.on_queue(now, now, parse_queue(text)));
  }

  static std::size_t count_ends(const SlurmJobs::News& news) {
    std::size_t count = 0;
    for (const JobReport& each : news) count += each.state == JobState::ended ? 1 : 0;
    return count;
  }

  std::mt19937 chance_;
  std::vector<Simulated> all_;
  SlurmJobs jobs_;
  QueryBudget budget_;
  int queries_ = 0;
  std::size_t ends_ = 0;
};

}  // namespace

TEST_CASE("eight hours with a thousand daemons need at most 60 queries") {
  for (unsigned seed : {1U, 2U, 3U}) {
    Day day(seed);
    day.run();
    CAPTURE(seed, day.ends(), day.lives());
    CHECK(day.queries() <= 60);
    CHECK(day.ends() + day.lives() == 1000);
    CHECK(day.ends() > 300);
    CHECK(day.lives() > 15);
  }
}
