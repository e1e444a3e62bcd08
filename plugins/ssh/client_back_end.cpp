#include "plugins/ssh/client_back_end.h"

#include <signal.h>

#include <algorithm>

#include "plugins/ssh/client_failure.h"
#include "plugins/ssh/client_line.h"

namespace tenkai {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_retry{60};
constexpr std::chrono::milliseconds longest_backoff{5000};
constexpr int client_failed = 255;
// With its input left open: when this process is gone, whatever the reason, it ends,
// and the client with it. One that runs nothing (-N) would stay for ever.
constexpr const char* hold = "cat";

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

bool ClientBackEnd::is_carried(const std::vector<std::uint16_t>& ports) const {
  return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    const Job& job = entry.second;
    return job.carries && job.pid != 0 && job.what.ports == ports;
  });
}

void ClientBackEnd::run(Job& job) {
  std::string name = job.what.name;
  job.carries = !job.what.ports.empty() && !is_carried(job.what.ports);
  if (job.holds_only && !job.carries) return note(name, note_ + ", with the tunnel of another launch");
  ProgramStart start;
  start.argv = client_argv(request_, job.carries ? job.what.ports : std::vector<std::uint16_t>(),
                           job.holds_only ? hold : job.what.command);
  start.keep_input = job.holds_only;
  start.input = std::move(job.what.input);
  job.what.input.clear();
  Result<pid_t> pid = programs_.start(std::move(start), [this, name, alive = alive_](const ProgramEnd& end) {
    if (*alive) on_end(name, end);
  });
  if (!pid) {
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
  if (!closing_ && !was_asked_to_go && (job.holds_only || (lost && job.carries))) {
    if (!job.holds_only) job.since = Clock::now();
    job.holds_only = true;
    return retry(job, why.value_or(Failure{{}, sentence::lost(where_, {})}));
  }
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
void ClientBackEnd::retry(Job& job, const Failure& why) {
  std::string name = job.what.name;
  // A port may be held by the client of a plugin before this one, while its command
  // runs: then the tunnel is there, and is to be taken over when that ends.
  bool waits_for_port = why.cause == cause::tunnel_port;
  bool too_long = !waits_for_port && Clock::now() - job.since > longest_retry;
  if (too_long || why.cause == cause::host_key || why.cause == cause::auth_refused) {
    JobReport report;
    report.state = JobState::ended;
    report.message = "the tunnel could not be made again: " + why.message;
    return finish(name, std::move(report));
  }
  note(name, why.message + "; the tunnel is made again");
  job.timer = std::make_unique<asio::steady_timer>(executor_, job.backoff);
  job.backoff = std::min(job.backoff * 2, longest_backoff);
  job.timer->async_wait([this, name, alive = alive_](boost::system::error_code failed) {
    if (failed || !*alive) return;
    auto found = jobs_.find(name);
    if (found != jobs_.end()) run(found->second);
  });
}

// The carrier has ended: the next job that needs its ports holds them.
void ClientBackEnd::hand_on(const std::vector<std::uint16_t>& ports) {
  if (closing_ || ports.empty() || is_carried(ports)) return;
  for (auto& [name, job] : jobs_) {
    if (job.what.ports != ports) continue;
    if (job.pid == 0) return run(job);
    // Its command runs; the tunnel gets a client, and a job, of its own.
    SshJob holder;
    holder.name = name + "-tunnel";
    holder.ports = ports;
    holder.stays = job.what.stays;
    return start(std::move(holder));
  }
}

void ClientBackEnd::finish(const std::string& name, JobReport report) {
  auto found = jobs_.find(name);
  std::vector<std::uint16_t> ports =
      found->second.carries ? found->second.what.ports : std::vector<std::uint16_t>();
  std::vector<std::uint16_t> used = found->second.what.ports;
  jobs_.erase(found);
  // A holder that nobody needs any more.
  bool needed = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return entry.second.what.ports == used && entry.first.find("-tunnel") == entry.first.npos;
  });
  std::vector<std::string> holders;
  if (!needed) {
    for (const auto& [other, job] : jobs_) {
      if (job.what.ports == used) holders.push_back(other);
    }
  }
  for (const std::string& holder : holders) cancel(holder);
  if (needed) hand_on(ports);
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

}  // namespace tenkai
