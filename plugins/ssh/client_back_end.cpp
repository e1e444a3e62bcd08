#include "plugins/ssh/client_back_end.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "launcher/plugin/client_failure.h"
#include "plugins/ssh/client_line.h"

namespace tenkai::ssh {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_restarting{60};
constexpr int client_failed = 255;
// With its input left open: when this process is gone, whatever the reason, it ends,
// and the client with it. One that runs nothing (-N) would stay for ever.
constexpr const char* hold = "cat";
// In the names of those jobs that a tunnel has of its own.
constexpr const char* holder_sign = "-tunnel-";

// So that those who were turned away together do not come back together.
std::chrono::milliseconds around(std::chrono::milliseconds pause) {
  static std::minstd_rand random{std::random_device{}()};
  return std::chrono::milliseconds(
      std::uniform_int_distribution<long>(pause.count() / 2, pause.count())(random));
}

bool is_holder(const std::string& name) { return name.find(holder_sign) != name.npos; }

bool has(const std::vector<std::uint16_t>& ports, std::uint16_t port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

}  // namespace

ClientBackEnd::ClientBackEnd(asio::any_io_executor executor, Programs& programs, SshRequest request,
                             std::string note, Events events)
    : executor_(std::move(executor)),
      programs_(programs),
      request_(std::move(request)),
      where_(to_string(request_.remote)),
      note_(std::move(note)),
      events_(std::move(events)) {}

// What stays is left running, and with it its client and its tunnel.
ClientBackEnd::~ClientBackEnd() {
  *alive_ = false;
  for (const auto& [name, job] : jobs_) {
    if (job.pid != 0 && !job.what.stays) programs_.signal(job.pid, SIGKILL);
  }
}

void ClientBackEnd::start(SshJob job) {
  std::string name = job.name;
  Job& added = jobs_[name];
  added.holds_only = job.command.empty();
  added.what = std::move(job);
  added.since = Clock::now();
  run(added);
}

bool ClientBackEnd::is_carried(std::uint16_t port) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [port](const auto& entry) {
    return entry.second.pid != 0 && has(entry.second.carries, port);
  });
}

ClientBackEnd::Ports ClientBackEnd::uncarried(const Ports& ports) const {
  Ports those;
  for (std::uint16_t port : ports) {
    if (!is_carried(port)) those.push_back(port);
  }
  return those;
}

void ClientBackEnd::run(Job& job) {
  std::string name = job.what.name;
  job.carries = uncarried(job.what.ports);
  if (job.holds_only && job.carries.empty()) return note(name, note_ + ", with the tunnel of another launch");
  ProgramStart start;
  start.argv = client_argv(request_, job.carries, job.holds_only ? hold : job.what.command);
  start.keep_input = job.holds_only || job.what.keeps_input;
  start.input = job.what.input;
  Result<pid_t> pid = programs_.start(std::move(start), [this, name, alive = alive_](const ProgramEnd& end) {
    if (*alive) on_end(name, end);
  });
  if (!pid) {
    job.carries.clear();
    JobReport report;
    report.state = JobState::failed;
    report.cause = cause::command_missing;
    report.message = pid.error().message;
    return finish(name, std::move(report));
  }
  job.pid = *pid;
  note(name, note_);
}

void ClientBackEnd::on_end(const std::string& name, const ProgramEnd& end) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  job.pid = 0;
  bool refused = end.how.exit_code == client_failed;
  bool lost = refused && is_lost_connection(end.log);
  std::optional<Failure> why;
  // A client that was asked to go in the midst of things ends with 255, too.
  if (refused && !job.cancelled) why = client_failure(end.log, where_, request_.timeout);
  bool was_asked_to_go = job.cancelled || end.how.signal.has_value();
  // A tunnel that was there, or should be there again: what runs beyond needs it.
  if (!closing_ && !was_asked_to_go && (job.holds_only || (lost && !job.carries.empty()))) {
    if (!job.holds_only) job.since = Clock::now();
    job.holds_only = true;
    job.what.input.clear();
    return start_again(job, why.value_or(Failure{{}, sentence::lost(where_, {})}));
  }
  // The command has not been asked for then: the answer for a port comes before.
  bool may_pass = why && (why->cause == cause::tunnel_port || is_turned_away(end.log));
  if (!closing_ && !was_asked_to_go && may_pass && Clock::now() - job.since < patience_at_first)
    return start_again(job, *why);
  JobReport report;
  report.state = why ? JobState::failed : JobState::ended;
  if (why) {
    report.cause = why->cause;
    report.message = why->message;
  } else {
    report.exit_code = end.how.exit_code;
    report.signal = end.how.signal;
    if (job.cancelled) report.message = "it was cancelled";
    if (lost && !job.cancelled)
      report.message = sentence::lost(where_, "what became of the command is not known");
  }
  report.log = end.log;
  finish(name, std::move(report));
}

// The old server may hold the port for a moment, or the network be away for longer.
void ClientBackEnd::start_again(Job& job, const Failure& why) {
  std::string name = job.what.name;
  // A port may be held by the client of a plugin before this one, while its command
  // runs: then the tunnel is there, and is to be taken over when that ends.
  bool waits_for_port = why.cause == cause::tunnel_port;
  bool too_long = !waits_for_port && Clock::now() - job.since > longest_restarting;
  if (too_long || why.cause == cause::host_key || why.cause == cause::auth_refused) {
    JobReport report;
    report.state = JobState::ended;
    report.message = "the tunnel could not be made again: " + why.message;
    return finish(name, std::move(report));
  }
  note(name, why.message + (job.holds_only ? "; the tunnel is made again" : "; it is tried again"));
  job.timer = std::make_unique<asio::steady_timer>(executor_, around(job.backoff));
  job.backoff = std::min(job.backoff * 2, longest_backoff);
  job.timer->async_wait([this, name, alive = alive_](boost::system::error_code failed) {
    if (failed || !*alive) return;
    auto found = jobs_.find(name);
    if (found != jobs_.end() && found->second.pid == 0) run(found->second);
  });
}

// The client that held these tunnels has ended: the next job that needs one of them holds it.
void ClientBackEnd::hand_on(const Ports& ports) {
  for (std::uint16_t port : ports) {
    if (closing_ || is_carried(port)) continue;
    auto heir = std::find_if(jobs_.begin(), jobs_.end(), [port](const auto& entry) {
      bool is_busy_holder = is_holder(entry.first) && entry.second.pid != 0;
      return has(entry.second.what.ports, port) && !is_busy_holder;
    });
    if (heir == jobs_.end()) continue;
    if (heir->second.pid == 0) {
      run(heir->second);
      continue;
    }
    // Its command runs; the tunnel gets a client, and a job, of its own.
    SshJob holder;
    holder.name = heir->first + holder_sign + std::to_string(port);
    holder.ports = uncarried(heir->second.what.ports);
    holder.stays = heir->second.what.stays;
    start(std::move(holder));
  }
}

bool ClientBackEnd::is_needed(const Ports& ports) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return !is_holder(entry.first) && std::any_of(ports.begin(), ports.end(), [&](std::uint16_t port) {
      return has(entry.second.what.ports, port);
    });
  });
}

void ClientBackEnd::finish(const std::string& name, JobReport report) {
  auto found = jobs_.find(name);
  Ports ports = found->second.carries;
  jobs_.erase(found);
  std::vector<std::string> idle;
  for (const auto& [other, job] : jobs_) {
    if (is_holder(other) && !is_needed(job.what.ports)) idle.push_back(other);
  }
  for (const std::string& holder : idle) cancel(holder);
  if (is_needed(ports)) hand_on(ports);
  report.job = name;
  report.where = where_;
  events_.tell(std::move(report));
}

void ClientBackEnd::note(const std::string& name, std::string text) {
  events_.tell(noted(name, where_, std::move(text)));
}

void ClientBackEnd::cancel(const std::string& name) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  found->second.cancelled = true;
  if (found->second.pid != 0) return programs_.signal(found->second.pid, SIGTERM);
  JobReport report;
  report.state = JobState::ended;
  report.message = "it was cancelled";
  finish(name, std::move(report));
}

// A client without a command does not see when its tunnel has come out of use: it
// gets the time that farewells need, which is short.
void ClientBackEnd::close() {
  closing_ = true;
  std::vector<std::string> unbegun;
  for (const auto& [name, job] : jobs_) {
    if (job.pid == 0 && !job.holds_only) unbegun.push_back(name);
  }
  for (const std::string& name : unbegun) cancel(name);
  std::vector<std::string> holders;
  for (const auto& [name, job] : jobs_) {
    if (job.holds_only && !job.what.stays) holders.push_back(name);
  }
  for (const std::string& name : holders) {
    Job& job = jobs_[name];
    job.timer = std::make_unique<asio::steady_timer>(executor_, std::chrono::seconds(1));
    job.timer->async_wait([this, name, alive = alive_](boost::system::error_code failed) {
      if (!failed && *alive) cancel(name);
    });
  }
}

}  // namespace tenkai::ssh
