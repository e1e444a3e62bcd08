// What is looked at while launches wait: which are silent, which a batch system knows more
// of; and what is told of those that have failed.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/counted.h"
#include "base/text.h"
#include "launcher/launch/launch_words.h"
#include "launcher/launch/launches.h"

namespace tenkai {
namespace {

using std::chrono::seconds;

// How long nothing may be heard of a launch that runs, and how often that is looked at.
constexpr seconds patience{60};
// A batch system that has much to do answers late, and a job that was killed with all
// that is in it tells nothing: it is asked before it is given up.
constexpr seconds patience_in_queue{300};
constexpr seconds time_to_ask{30};
constexpr seconds watch_pause{5};
// Launches that have failed in the same way, of which all is told.
constexpr std::size_t max_told = 20;

}  // namespace

// One sentence for all that failed in the same way.
void Launches::tell_failures() {
  std::vector<const Launch*> failed;
  for (std::uint64_t number : std::exchange(untold_, {})) {
    auto found = entries_.find(number);
    bool has_failed = found != entries_.end() && found->second->launch.state() == LaunchState::failed;
    if (has_failed) failed.push_back(&found->second->launch);
  }
  std::map<std::string, std::vector<EntryPtr>> by_cause;
  for (const Launch* launch : full_.news(failed, scaling_)) {
    const EntryPtr& entry = entries_.at(launch->number());
    by_cause[entry->plugin + " " + std::string(name_of(launch->failure().cause))].push_back(entry);
  }
  for (const auto& [key, entries] : by_cause) {
    const Launch& first = entries.front()->launch;
    std::string where = first.where().empty() ? "" : ", " + printable(first.where(), 100);
    std::string text = "launch " + std::to_string(first.number()) + " (" + daemons_of(first) + ", by " +
                       entries.front()->plugin + where + ") has failed: " + first.failure().message;
    if (entries.size() > 1) {
      text += "\n" + counted(entries.size() - 1, "other launch has", "other launches have") +
              " failed in this way; status() shows all";
    }
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const std::string& note = entries[i]->launch.evidence().note;
      if (!note.empty()) text += "\n" + note;
    }
    std::string lines;
    for (std::size_t i = 0; i < entries.size() && i < max_told; ++i) {
      lines += status_line(entries[i]->launch, entries[i]->plugin);
    }
    dependencies_.tell(text, lines);
  }
}

void Launches::on_given_up(GrantId grant, std::size_t slot, const REnd& end, std::uint64_t starts) {
  EntryPtr entry = grant == 0 ? without_grant(slot, true) : by_grant(grant, slot);
  if (!entry && grant == 0) entry = without_grant(slot, false);
  std::string log = end.excess.empty() ? end.log_tail : end.excess + "\n" + end.log_tail;
  CommandEnd known{end.how.exit_code, end.how.signal, redacted(log), {}, {}};
  if (!entry) {
    Failure why = judge_r(known, starts);
    return dependencies_.tell("daemon " + std::to_string(slot + 1) + " is not started again: " + why.message,
                              {});
  }
  known.where = entry->launch.where();
  if (!entry->launch.on_daemon_given_up(now(), slot, judge_r(known, starts))) return;
  given_up_.push_back(entry->launch.number());
  after_change(entry, true);
}

// Where no daemon of a launch has come its command ends, which tells the same: it is waited
// for. What was started by hand tells nobody else.
void Launches::tell_given_up() {
  std::set<std::uint64_t> waits, news;
  for (std::uint64_t number : std::exchange(given_up_, {})) {
    auto found = entries_.find(number);
    if (found == entries_.end() || found->second->launch.state() == LaunchState::failed) continue;
    bool is_next = found->second->launch.is_waited_for() && found->second->launch.joined() == 0;
    (is_next && !found->second->by_hand ? waits : news).insert(number);
  }
  for (std::uint64_t number : news) {
    const Entry& entry = *entries_.at(number);
    dependencies_.tell(given_up_text(entry.launch, entry.plugin), status_line(entry.launch, entry.plugin));
  }
  given_up_.assign(waits.begin(), waits.end());
}

// Told once, also where others of its array, or later launches, wait for the same.
void Launches::on_stuck(const EntryPtr& entry) {
  const std::string& reason = entry->launch.evidence().reason;
  if (!entry->launch.is_waited_for() || entry->told_stuck == reason) return;
  entry->told_stuck = reason;
  stuck_.push_back(entry->launch.number());
  tell_soon();
}

void Launches::tell_stuck() {
  std::map<std::string, std::vector<const Launch*>> by_reason;
  std::set<std::uint64_t> news(stuck_.begin(), stuck_.end());
  std::set<std::string> known;
  stuck_.clear();
  for (const auto& [number, entry] : entries_) {
    if (entry->told_stuck.empty() || !entry->launch.is_waited_for()) continue;
    std::string key = entry->plugin + " " + entry->told_stuck;
    if (news.count(number) != 0) by_reason[key].push_back(&entry->launch);
    else known.insert(key);
  }
  for (const auto& [key, launches] : by_reason) {
    std::string plugin = key.substr(0, key.find(' '));
    if (known.count(key) == 0) dependencies_.tell(stuck_text(launches, plugin), {});
  }
}

// Looks, while there is something to look for, which of them are silent.
void Launches::watch() {
  if (watching_) return;
  watching_ = true;
  watch_timer_.expires_after(watch_pause);
  watch_timer_.async_wait([this](boost::system::error_code cancelled) {
    watching_ = false;
    if (cancelled) return;
    bool waits = false;
    for (const auto& [number, entry] : std::map(entries_)) {
      watch(entry);
      LaunchState state = entry->launch.state();
      waits = waits || (entry->launch.is_waited_for() && state != LaunchState::pending);
    }
    if (waits) watch();
  });
}

void Launches::watch(const EntryPtr& entry) {
  BatchPtr batch = entry->batch.lock();
  bool is_job = batch && batch->is_job;
  bool in_queue = is_job && entry->launch.state() == LaunchState::submitted;
  after_change(entry, entry->launch.on_silence(now(), in_queue ? patience_in_queue : patience));
  bool is_asked = is_job && entry->launch.is_silent(now(), time_to_ask);
  if (is_asked && !std::exchange(entry->asked, true)) poll(entry);
}

// A batch system answers for all of its jobs at once, so one question is enough for each.
void Launches::ask_what_waits() {
  if (closing_) return;
  std::set<std::string> asked;
  for (const BatchPtr& batch : batches_) {
    if (!batch->is_job || asked.count(batch->plugin) != 0) continue;
    auto waiting = std::find_if(batch->entries.begin(), batch->entries.end(), [this](const EntryPtr& entry) {
      return entry->launch.is_worth_asking(now(), asked_what_waits_);
    });
    if (waiting == batch->entries.end() || std::exchange((*waiting)->asked, true)) continue;
    asked.insert(batch->plugin);
    poll(*waiting);
  }
  if (!asked.empty()) asked_what_waits_ = now();
}

std::string Launches::status() {
  ask_what_waits();
  std::string lines;
  for (const auto& [number, entry] : entries_) lines += status_line(entry->launch, entry->plugin);
  return lines;
}

}  // namespace tenkai
