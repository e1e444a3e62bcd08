#include "plugins/ssh/libssh2/libssh2_back_end.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "launcher/plugin/client_failure.h"

namespace tenkai::ssh {
namespace {

constexpr std::chrono::milliseconds first_backoff{200};
constexpr std::chrono::seconds longest_absence{60};
// The server of a connection that was lost holds the port until it notices; that of
// a plugin that has died sees the end of its connection at once, and that of a session
// before ours gives its daemons some seconds for their farewells.
constexpr std::chrono::seconds patience_after_loss{60};

}  // namespace

Libssh2BackEnd::Libssh2BackEnd(asio::any_io_executor executor, Libssh2Host host, Events events)
    : executor_(executor),
      host_(std::move(host)),
      where_(to_string(Remote{host_.settings.user, host_.settings.host, host_.settings.port})),
      events_(std::move(events)),
      timer_(executor),
      backoff_(first_backoff) {}

Libssh2BackEnd::~Libssh2BackEnd() {
  *alive_ = false;
  if (connection_) connection_->close();
}

void Libssh2BackEnd::start(SshJob job) {
  std::string name = job.name;
  Job& added = jobs_[name];
  added.holds_only = job.command.empty();
  added.patience = patience_at_first;
  added.since = Clock::now();
  added.what = std::move(job);
  if (is_open_) return begin(name);
  if (!connection_ && !waits_) connect();
}

void Libssh2BackEnd::cancel(const std::string& name) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  JobReport report;
  report.state = JobState::ended;
  report.message = "it was cancelled";
  finish(name, std::move(report));
}

void Libssh2BackEnd::close() {
  closing_ = true;
  std::vector<std::string> unbegun;
  for (const auto& [name, job] : jobs_) {
    if (!job.begun && !job.holds_only) unbegun.push_back(name);
  }
  for (const std::string& name : unbegun) {
    JobReport report;
    report.state = JobState::failed;
    report.cause = cause::cancelled;
    report.message = "the session ended before it began";
    finish(name, std::move(report));
  }
  end_idle_holders();
}

void Libssh2BackEnd::connect() {
  waits_ = false;
  Connection::Events events;
  events.opened = [this] { on_opened(); };
  events.refused = [this](const Refusal& refusal) { later([this, refusal] { on_refused(refusal); }); };
  events.lost = [this](const std::string& why) { later([this, why] { on_lost(why); }); };
  events.stream_ended = [this] { later([this] { end_idle_holders(); }); };
  connection_ = std::make_shared<Connection>(executor_, host_, std::move(events));
  connection_->run();
}

void Libssh2BackEnd::on_opened() {
  is_open_ = true;
  was_open_ = true;
  backoff_ = first_backoff;
  for (const std::string& name : names()) begin(name);
}

void Libssh2BackEnd::on_refused(const Refusal& refusal) {
  connection_.reset();
  if (was_open_) return on_still_lost(refusal.failure);
  jobs_.clear();
  events_.refused(refusal);
}

void Libssh2BackEnd::on_lost(const std::string& why) {
  connection_.reset();
  is_open_ = false;
  listening_.clear();
  lost_at_ = Clock::now();
  for (const std::string& name : names()) on_lost_by(name, why);
  reconnect();
}

void Libssh2BackEnd::on_lost_by(const std::string& name, const std::string& why) {
  Job& job = jobs_[name];
  if (job.command && job.command->may_run()) job.begun = true;
  job.command.reset();
  job.timers.clear();
  if (job.what.ports.empty() && (job.begun || closing_)) {
    JobReport report;
    report.state = JobState::ended;
    report.message = sentence::lost(where_, why + "; what became of the command is not known");
    return finish(name, std::move(report));
  }
  if (job.begun) job.holds_only = true;
  job.patience = patience_after_loss;
  // What has not been asked for yet is simply asked for later.
  if (!job.holds_only) return;
  note(name, sentence::lost(where_, why) + "; it is made again");
}

void Libssh2BackEnd::on_still_lost(const Failure& failure) {
  bool final = failure.cause == cause::host_key || failure.cause == cause::auth_refused;
  if (!final && !closing_ && Clock::now() - lost_at_ < longest_absence) return reconnect();
  for (const std::string& name : names()) {
    JobReport report;
    report.state = jobs_[name].holds_only ? JobState::ended : JobState::failed;
    if (report.state == JobState::failed) report.cause = failure.cause;
    report.message = sentence::lost(where_, "and could not be made again: " + failure.message);
    finish(name, std::move(report));
  }
}

void Libssh2BackEnd::reconnect() {
  if (jobs_.empty()) return;
  waits_ = true;
  timer_.expires_after(backoff_);
  backoff_ = std::min(backoff_ * 2, longest_backoff);
  timer_.async_wait([this, alive = alive_](boost::system::error_code failed) {
    if (!failed && *alive && waits_) connect();
  });
}

void Libssh2BackEnd::disconnect() {
  waits_ = false;
  is_open_ = false;
  was_open_ = false;
  listening_.clear();
  timer_.cancel();
  if (connection_) connection_->close();
  connection_.reset();
}

// The session has ended: a tunnel is needed until its daemons have taken leave.
void Libssh2BackEnd::end_idle_holders() {
  if (!closing_ || (connection_ && is_open_ && connection_->streams() != 0)) return;
  for (const std::string& name : names()) {
    const Job& job = jobs_[name];
    if (!job.holds_only || job.what.stays) continue;
    JobReport report;
    report.state = JobState::ended;
    report.message = "its tunnel was closed";
    finish(name, std::move(report));
  }
}

std::vector<std::string> Libssh2BackEnd::names() const {
  std::vector<std::string> names;
  for (const auto& [name, job] : jobs_) names.push_back(name);
  return names;
}

}  // namespace tenkai::ssh
