#include "scheduler/local_daemons.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/r_call.h"
#include "base/random_stream.h"
#include "base/text.h"
#include "process/spawn.h"
#include "scheduler/end_cause.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

// A pause that the user is told of.
constexpr std::chrono::seconds long_pause{5};

// Since a daemon has ended.
constexpr std::chrono::seconds noticed_by{5};

// What R does on its own (a slow file server) must not make the others wait for long.
constexpr std::chrono::seconds longest_turn{1};

// How many R processes start at a time: with more, all come late, and the first as late as the last.
std::size_t most_at_a_time() { return std::max<std::size_t>(8, 2 * std::thread::hardware_concurrency()); }

}  // namespace

std::string LocalDaemons::name_of(const Place& place) const {
  return settings_.ephemeral ? "this task" : "daemon " + std::to_string(place.slot + 1);
}

LocalDaemons::Places::iterator LocalDaemons::find(pid_t pid) {
  return std::find_if(places_.begin(), places_.end(), [pid](const auto& place) { return place->pid == pid; });
}

std::optional<std::size_t> LocalDaemons::slot_of(pid_t pid) const {
  auto found =
      std::find_if(places_.begin(), places_.end(), [pid](const auto& place) { return place->pid == pid; });
  if (found == places_.end()) return std::nullopt;
  return (*found)->slot;
}

// With one URL for all, each start is for one more.
std::shared_ptr<LocalDaemons::Place> LocalDaemons::place_for(std::size_t slot) {
  auto known = std::find_if(places_.begin(), places_.end(),
                            [&](const auto& place) { return !settings_.one_url && place->slot == slot; });
  if (known != places_.end()) return *known;
  places_.push_back(std::make_shared<Place>(dependencies_.executor));
  places_.back()->slot = slot;
  return places_.back();
}

Result<Done> LocalDaemons::start(std::size_t slot, const Told& told) {
  std::shared_ptr<Place> place = place_for(slot);
  if (place->joined) {
    place->asked_again = now();
    place->told = told;
  }
  if (place->pid || place->waits_for_turn) return Done{};  // it is coming already, or is there
  place->pause.cancel();
  place->told = told;
  place->starts = 0;
  place->restarts = {};
  Result<Done> started = start(place);
  if (!started) places_.remove(place);
  dependencies_.changed();
  return started;
}

std::size_t LocalDaemons::starting() const {
  return static_cast<std::size_t>(std::count_if(
      places_.begin(), places_.end(), [](const auto& place) { return place->pid && !place->joined; }));
}

Result<Done> LocalDaemons::start(const std::shared_ptr<Place>& place) {
  if (turns_.empty() && starting() < most_at_a_time()) return launch(*place);
  place->waits_for_turn = true;
  turns_.push_back(place);
  if (turns_.size() == 1) watch_turns();
  return Done{};
}

void LocalDaemons::start_waiting(std::size_t most) {
  for (std::size_t running = starting(); running < most && !turns_.empty() && !closed_; ++running) {
    std::shared_ptr<Place> place = std::move(turns_.front());
    turns_.pop_front();
    place->waits_for_turn = false;
    if (dependencies_.is_taken(place->slot)) forget(place);
    else if (Result<Done> started = launch(*place); !started) not_started(place, started.error().message);
  }
}

void LocalDaemons::not_started(const std::shared_ptr<Place>& place, const std::string& error) {
  std::string why = "the R process for " + name_of(*place) + " could not be started: " + error;
  if (!dependencies_.not_come(why, {}, settings_.respawn)) return forget(place);
  start_again(place, why, {}, false);
}

void LocalDaemons::watch_turns() {
  turn_timer_.expires_after(longest_turn);
  turn_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled || closed_) return;
    start_waiting(starting() + most_at_a_time());
    if (!turns_.empty()) watch_turns();
  });
}

// What a daemon of ours that comes in over the network reads from its descriptor 3.
Result<Descriptor> LocalDaemons::credential_pipe(std::size_t slot) {
  Result<std::string> line = dependencies_.credential(slot);
  if (!line) return line.error();
  Result<std::pair<Descriptor, Descriptor>> pipe = make_pipe();
  if (!pipe) return pipe.error();
  // A line is smaller than any pipe.
  bool written =
      ::write(pipe->second.get(), line->data(), line->size()) == static_cast<ssize_t>(line->size());
  wipe(*line);
  if (!written) return Error{"a credential could not be written to a pipe"};
  return std::move(pipe->first);
}

Result<Done> LocalDaemons::launch(Place& place) {
  const Url& url = dependencies_.url(place.slot);
  RStart start;
  start.rscript = settings_.rscript;
  std::optional<RandomStream> stream = place.told.stream;
  if (stream) stream = substream(*stream, place.starts);
  start.call =
      with_libraries(daemon_call(to_string(url), is_network(url) ? "fd:3" : "", place.told.options, stream));
  start.output = settings_.output;
  Descriptor credential;
  if (is_network(url)) {
    Result<Descriptor> made = credential_pipe(place.slot);
    if (!made) return made.error();
    credential = std::move(*made);
    start.stream = credential.get();
  }
  Result<pid_t> pid =
      dependencies_.processes.start(start, [this](pid_t ended, const REnd& end) { on_ended(ended, end); });
  if (!pid) return pid.error();
  place.pid = *pid;
  ++place.starts;
  return Done{};
}

void LocalDaemons::on_joined(pid_t pid) {
  if (auto place = find(pid); place != places_.end()) (*place)->joined = now();
  start_waiting(most_at_a_time());
}

void LocalDaemons::on_ended(pid_t pid, const REnd& end) {
  auto found = find(pid);
  if (found == places_.end()) return;  // it had left before
  std::shared_ptr<Place> place = *found;
  if (place->joined) return dependencies_.ended(pid, end);
  std::string why =
      "the R process for " + name_of(*place) + " " + cause_of(end).text + " before it connected";
  place->pid.reset();
  bool again = settings_.respawn && !dependencies_.is_taken(place->slot);
  if (dependencies_.not_come(why, end.log_tail, again)) start_again(place, why, end.log_tail, false);
  else forget(place);
  start_waiting(most_at_a_time());
}

void LocalDaemons::on_left(pid_t pid, const Cause& cause, bool worked) {
  auto found = find(pid);
  if (found == places_.end()) return;
  std::shared_ptr<Place> place = *found;
  place->pid.reset();
  // It may live on without its stream, and would be in the way of the next one.
  if (cause.kind == Cause::Kind::lost) dependencies_.processes.kill(pid);
  auto asked = std::exchange(place->asked_again, std::nullopt);
  bool is_asked = asked && now() - *asked < noticed_by;
  if (is_asked && !closed_) {
    place->joined.reset();
    place->starts = 0;
    place->restarts = {};
    return start_later(place, std::chrono::milliseconds(0));
  }
  if (settings_.respawn && !closed_ && cause.kind != Cause::Kind::goodbye)
    return start_again(place, name_of(*place) + " " + cause.text, {}, worked);
  forget(place);
}

void LocalDaemons::forget(const std::shared_ptr<Place>& place) {
  places_.remove(std::shared_ptr<Place>(place));  // what is removed may be the last that holds it
  dependencies_.changed();
}

// `log`: lines, told where it has not even come up.
void LocalDaemons::start_again(const std::shared_ptr<Place>& place, const std::string& end,
                               const std::string& log, bool worked) {
  bool had_come = place->joined.has_value();
  auto pause = place->restarts.on_ended(now(), std::exchange(place->joined, std::nullopt), worked);
  std::string row = end;
  if (place->restarts.failures() > 1)
    row += ", " + std::to_string(place->restarts.failures()) + " times in a row with nothing done";
  std::string lines = log.empty() ? "" : "; its last lines:\n" + log;
  if (!pause) {
    last_end_ = end;
    dependencies_.tell(row + ". It is not started again: find out why, then call launch_local(" +
                       std::to_string(place->slot + 1) + ")" + lines);
    return forget(place);
  }
  if (!had_come || *pause >= long_pause) {
    bool soon = pause->count() == 0;
    dependencies_.tell(row + ". It is started again" + (soon ? "" : " in " + in_seconds(*pause)) + lines);
  }
  start_later(place, *pause);
}

// Not at once even without a pause: what has ended is still being told.
void LocalDaemons::start_later(const std::shared_ptr<Place>& place, std::chrono::milliseconds pause) {
  place->pause.expires_after(pause);
  place->pause.async_wait([this, place](boost::system::error_code cancelled) {
    if (cancelled || closed_ || place->pid || place->waits_for_turn) return;
    if (dependencies_.is_taken(place->slot)) return forget(place);
    if (Result<Done> started = start(place); !started) not_started(place, started.error().message);
  });
}

void LocalDaemons::close() {
  closed_ = true;
  turn_timer_.cancel();
  turns_.clear();
  for (const auto& place : places_) place->pause.cancel();
}

}  // namespace tenkai
