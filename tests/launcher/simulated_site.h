// A batch system, daemons that are only numbers, and the real Dispatcher, Drain and Scale
// between them. Time passes from event to event; seeded, so that each run is the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "launcher/launch/scale.h"
#include "scheduler/dispatcher.h"

namespace tenkai::tests {

struct SiteRules {
  ScaleRules scale;
  // How long a job may last; nullopt: as long as it likes.
  std::optional<std::chrono::milliseconds> job;
  Retries retries = {};
  std::uint64_t seed = 20261127;
  // What becomes of a launch: how long it waits, whether it fails then, and how soon its
  // job dies by itself.
  struct Fate {
    std::chrono::milliseconds wait{10'000};
    bool fails = false;
    std::optional<std::chrono::milliseconds> dies_after = {};
  };
  std::function<Fate(std::mt19937_64&)> fate = [](std::mt19937_64&) { return Fate(); };
};

class SimulatedSite {
 public:
  using milliseconds = std::chrono::milliseconds;

  explicit SimulatedSite(SiteRules rules);

  // A task of this length; `honest`: it asks for a tenth more.
  void submit(milliseconds length, bool honest = true);
  void after(milliseconds wait, std::function<void()> action);
  // Until nothing happens any more, or that moment.
  void run(Time until);

  Time now() const { return now_; }
  std::mt19937_64& random() { return random_; }
  // A number above 0 and below 1.
  double chance();
  // Heavy-tailed: at least this, and mostly little more.
  milliseconds pareto(double least_seconds, double alpha, double most_seconds);
  milliseconds lognormal(double median_seconds, double sigma, double most_seconds);

  // Daemons that may be given tasks.
  std::size_t capacity() const;
  std::size_t waiting() const { return dispatcher_.queued(); }
  std::size_t units_held() const;
  // Called after each event.
  std::function<void()> watch = [] {};

  std::uint64_t submitted = 0;
  std::uint64_t resolved = 0;
  std::uint64_t lost = 0;         // resolved to something else than their value
  std::uint64_t honest_cut = 0;   // attempts that the end of a job has cut off
  std::uint64_t others_cut = 0;   // ... whose tasks had not said how long they take
  std::uint64_t submissions = 0;  // to the batch system
  std::uint64_t launches = 0;     // units
  std::uint64_t withdrawn = 0;    // ... before they had come
  std::size_t most_units = 0;     // held or waited for, at a time
  std::vector<std::string> told;

  milliseconds held() const;  // by daemons, each from the start of its job to its end
  milliseconds busy() const;  // of that, with tasks, whatever became of them
  double idle_share() const;
  // One line, for reports.
  std::string figures() const;

 private:
  struct Unit {
    ScaleUnit::State state = ScaleUnit::State::vacant;
    std::uint64_t job = 0;  // so that what was meant for an earlier one is not done to this
    Time launched{};
    std::optional<Time> began = {};
    Time came{};
    std::optional<Time> end;
    bool leaving = false;
    std::vector<DaemonId> daemons;
  };
  struct Joined {
    std::size_t unit = 0;
    std::optional<Time> drain_begin;
    bool leaving = false;
    Time idle_since{};
    std::optional<Assign> running;
    Time running_since{};
  };
  struct Work {
    milliseconds length;
    bool honest;
  };

  void think();
  ScaleView view() const;
  ScaleUnit view_of(const Unit& unit) const;
  void launch(const std::vector<std::size_t>& units);
  void come(std::size_t u, const SiteRules::Fate& fate);
  void join(std::size_t u, std::uint64_t job);
  void dismiss(std::size_t u);
  void leave(DaemonId id, Cause::Kind kind, bool expected);
  void end_job(std::size_t u, std::uint64_t job, Cause::Kind kind, bool expected);
  void empty(std::size_t u, bool expected);
  void carry_out(const Sends& sends);
  void start(const Assign& what);
  void finish(const Assign& what);

  SiteRules rules_;
  Time now_;
  Dispatcher dispatcher_;
  Scale scale_;
  std::vector<Unit> units_;
  std::map<DaemonId, Joined> daemons_;
  std::map<std::uint64_t, Work> works_;
  std::multimap<Time, std::function<void()>> events_;
  std::optional<Time> look_again_;
  milliseconds held_{0};  // in jobs that are over
  milliseconds busy_{0};  // in attempts that are
  DaemonId last_daemon_ = 0;
  std::uint64_t last_job_ = 0;
  std::mt19937_64 random_;
};

}  // namespace tenkai::tests
