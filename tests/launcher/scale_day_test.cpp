// Days of a group on a cluster: how well capacity follows the work, with the decisions that
// are made in earnest and a batch system that is simulated.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>

#include "tests/catch.h"
#include "tests/launcher/simulated_site.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr Time start = Time() + 1h;

// Jobs of four hours.
SiteRules cluster(std::size_t max, std::size_t chunk = 1) {
  SiteRules rules;
  rules.scale.max = max;
  rules.scale.chunk = chunk;
  rules.job = 4h;
  return rules;
}

// A day that begins with nothing, brings three bursts and ten hours of work that comes by
// and by, and ends with nothing. Tasks are of heavy tail: most take little more than the
// least, some the better part of a night. Jobs wait mostly a minute, some a quarter of an hour.
struct Day {
  const double least;  // seconds
  const bool all_are_honest;

  explicit Day(SiteRules rules, double least_seconds = 60, bool honest = true)
      : least(least_seconds), all_are_honest(honest), site([&] {
          rules.fate = [this](std::mt19937_64&) { return SiteRules::Fate{site.lognormal(60, 1, 900)}; };
          return rules;
        }()) {
    site.after(2h, [this] { submit(3); });
    site.after(7h, [this] { submit(3000); });
    site.after(8h, [this] { submit_on(); });
    site.after(13h, [this] { submit(200); });
    site.after(21h, [this] { submit(1000); });
    site.run(start + 48h);
  }

  void submit(int tasks) {
    for (int i = 0; i < tasks; ++i)
      site.submit(site.pareto(least, 1.1, 3 * 3600.0), all_are_honest || site.chance() < 0.5);
  }

  void submit_on() {
    if (site.now() > start + 18h) return;
    submit(1);
    double hours = -std::log(site.chance()) / 500;
    site.after(milliseconds(static_cast<std::int64_t>(hours * 3.6e6)), [this] { submit_on(); });
  }

  SimulatedSite site;
};

// Tasks of up to ten minutes.
void submit(SimulatedSite& site, int tasks) {
  for (int i = 0; i < tasks; ++i) site.submit(site.pareto(20, 1.1, 600));
}

}  // namespace

TEST_CASE("a day of bursts and quiet hours loses nothing, and holds little that is idle") {
  SiteRules rules = cluster(100);
  rules.seed = GENERATE(1, 2, 3);
  Day day(rules);
  SimulatedSite& site = day.site;

  INFO(site.figures());
  CHECK(site.submitted > 8'000);
  CHECK(site.resolved == site.submitted);
  CHECK(site.lost == 0);
  CHECK(site.honest_cut == 0);
  CHECK(site.idle_share() <= 0.1);
  CHECK(site.units_held() == 0);
  CHECK(site.submissions < 300);
  CHECK(site.told.empty());
}

TEST_CASE("a day of tasks that are shorter than a launch wants daemons to go sooner") {
  SiteRules rules = cluster(100);
  rules.scale.idle = 1min;
  Day day(rules, 20);

  INFO(day.site.figures());
  CHECK(day.site.resolved == day.site.submitted);
  CHECK(day.site.honest_cut == 0);
  CHECK(day.site.idle_share() <= 0.1);
  CHECK(day.site.submissions < 500);
}

// What is let go together waits for the last of them.
TEST_CASE("a day with daemons by fours holds more") {
  Day day(cluster(100, 4));

  INFO(day.site.figures());
  CHECK(day.site.resolved == day.site.submitted);
  CHECK(day.site.honest_cut == 0);
  CHECK(day.site.idle_share() <= 0.25);
  CHECK(day.site.submissions < 100);
}

TEST_CASE("of a day's tasks only those are cut off that had not said how long they take") {
  SiteRules rules = cluster(40);
  rules.retries.outside = 1000;
  Day day(rules, 60, false);

  INFO(day.site.figures());
  CHECK(day.site.resolved == day.site.submitted);
  CHECK(day.site.lost == 0);
  CHECK(day.site.honest_cut == 0);
  CHECK(day.site.others_cut > 0);
}

TEST_CASE("under a steady load the end of jobs never costs more than one daemon") {
  constexpr std::size_t daemons = 10;
  SiteRules rules = cluster(daemons);
  rules.job = 1h;
  std::uint64_t seed = 0;
  rules.fate = [&seed](std::mt19937_64&) {
    seed = (seed * 7 + 3) % 31;
    return SiteRules::Fate{milliseconds(20s + seed * 1s)};
  };
  SimulatedSite site(rules);
  std::size_t least = daemons;
  std::size_t most = 0;
  site.watch = [&] {
    // Half as many again wait as are done, at any time.
    while (site.now() < start + 24h && site.waiting() < 5) site.submit(site.lognormal(60, 1.5, 1200));
    if (site.now() < start + 10min || site.now() > start + 24h) return;
    least = std::min(least, site.capacity());
    most = std::max(most, site.capacity());
  };
  site.run(start + 30h);

  INFO(site.figures() << "; capacity " << least << " to " << most);
  CHECK(site.submitted > 5'000);
  CHECK(site.lost == 0);
  CHECK(site.honest_cut == 0);
  CHECK(least >= daemons - 1);
  CHECK(most <= 2 * daemons);
  CHECK(site.idle_share() <= 0.1);
  // Ten jobs an hour, and those that make way for longer ones.
  CHECK(site.launches < 24 * 2 * daemons);
  CHECK(site.units_held() == 0);
}

TEST_CASE("a burst of a hundred thousand tasks, and then nothing") {
  SiteRules rules = cluster(100, 4);
  SimulatedSite site(rules);
  site.after(1s, [&] {
    for (int i = 0; i < 100'000; ++i) site.submit(1s);
  });
  site.run(start + 24h);

  INFO(site.figures());
  CHECK(site.resolved == 100'000);
  CHECK(site.lost == 0);
  CHECK(site.submissions == 1);
  CHECK(site.launches == 25);
  CHECK(site.units_held() == 0);
}

TEST_CASE("where every launch fails, five are tried") {
  SiteRules rules = cluster(10);
  rules.fate = [](std::mt19937_64&) { return SiteRules::Fate{3s, true}; };
  SimulatedSite site(rules);
  site.after(1s, [&] { submit(site, 50); });
  site.run(start + 48h);

  CHECK(site.submissions == 5);
  CHECK(site.launches == 50);
  CHECK(site.told.size() == 1);
  CHECK(site.resolved == 0);
  CHECK(site.units_held() == 0);
}

TEST_CASE("where half of the launches fail, the work is done all the same") {
  SiteRules rules = cluster(10);
  rules.fate = [](std::mt19937_64& random) { return SiteRules::Fate{3s, random() % 2 == 0}; };
  SimulatedSite site(rules);
  site.after(1s, [&] { submit(site, 500); });
  site.run(start + 48h);

  INFO(site.figures());
  CHECK(site.told.empty());
  CHECK(site.resolved == 500);
  CHECK(site.lost == 0);
  CHECK(site.launches < 200);
  CHECK(site.most_units <= 20);
}

TEST_CASE("where daemons die as soon as they come, five launches are tried") {
  SiteRules rules = cluster(10);
  rules.fate = [](std::mt19937_64&) { return SiteRules::Fate{3s, false, 1s}; };
  rules.retries.outside = 1000;
  SimulatedSite site(rules);
  site.after(1s, [&] { submit(site, 50); });
  site.run(start + 48h);

  INFO(site.figures());
  CHECK(site.told.size() == 1);
  CHECK(site.submissions <= 6);
  CHECK(site.units_held() == 0);
}

TEST_CASE("where jobs are lost now and then, daemons come back") {
  SiteRules rules = cluster(10);
  rules.fate = [](std::mt19937_64& random) {
    return SiteRules::Fate{10s, false, milliseconds(random() % 3'600'000)};
  };
  rules.retries.outside = 1000;
  SimulatedSite site(rules);
  site.after(1s, [&] { submit(site, 2000); });
  site.run(start + 96h);

  INFO(site.figures());
  CHECK(site.told.empty());
  CHECK(site.resolved == 2000);
  CHECK(site.lost == 0);
  CHECK(site.units_held() == 0);
}

TEST_CASE("a fixed number of daemons is held through the ends of their jobs") {
  SiteRules rules = cluster(5);
  rules.scale.min = 5;
  rules.job = 30min;
  SimulatedSite site(rules);
  std::size_t least = 5;
  site.watch = [&] {
    if (site.now() > start + 1min) least = std::min(least, site.capacity());
  };
  site.run(start + 24h);

  INFO(site.figures());
  CHECK(least >= 4);
  CHECK(site.launches < 5 * 24 * 3);
}
