// The jobs of Libssh2BackEnd on a connection that is open.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "launcher/plugin/client_failure.h"
#include "plugins/ssh/libssh2/libssh2_back_end.h"

namespace tenkai::ssh {
namespace {

constexpr std::chrono::milliseconds between_attempts{200};

}  // namespace

// First its ports, then its command.
void Libssh2BackEnd::begin(const std::string& name) {
  Job& job = jobs_[name];
  job.since = Clock::now();
  job.answers = 0;
  if (job.what.ports.empty()) return on_ports(name);
  for (std::uint16_t port : job.what.ports) ask_port(name, port);
}

void Libssh2BackEnd::ask_port(const std::string& name, std::uint16_t port) {
  if (std::find(listening_.begin(), listening_.end(), port) != listening_.end()) return on_port(name);
  connection_->listen(port, [this, alive = alive_, name, port](bool listens) {
    if (!*alive) return;
    if (listens) listening_.push_back(port);
    if (jobs_.count(name) == 0) return later([this] { drop_ports(); });
    if (listens || std::count(listening_.begin(), listening_.end(), port) != 0) return on_port(name);
    on_port_refused(name, port);
  });
}

void Libssh2BackEnd::on_port(const std::string& name) {
  Job& job = jobs_[name];
  if (++job.answers == job.what.ports.size()) on_ports(name);
}

void Libssh2BackEnd::on_port_refused(const std::string& name, std::uint16_t port) {
  Job& job = jobs_[name];
  if (Clock::now() - job.since < job.patience) {
    asio::steady_timer& timer = job.timers.try_emplace(port, executor_).first->second;
    timer.expires_after(between_attempts);
    return timer.async_wait([this, alive = alive_, name, port](boost::system::error_code failed) {
      if (!failed && *alive && is_open_ && jobs_.count(name) != 0) ask_port(name, port);
    });
  }
  JobReport report;
  report.state = job.begun ? JobState::ended : JobState::failed;
  report.cause = cause::tunnel_port;
  report.message = sentence::tunnel_port(where_, std::to_string(port));
  later([this, name, report] { finish(name, report); });
}

void Libssh2BackEnd::on_ports(const std::string& name) {
  Job& job = jobs_[name];
  if (job.holds_only) {
    note(name, "the tunnel is open, by libssh2");
    return later([this] { end_idle_holders(); });
  }
  job.command = std::make_shared<CommandChannel>(
      job.what.command, job.what.input, job.what.keeps_input, [this, name] { on_begun(name); },
      [this, name](CommandResult result) {
        later([this, name, result = std::move(result)] { on_end(name, result); });
      });
  connection_->start(job.command);
}

void Libssh2BackEnd::on_begun(const std::string& name) {
  jobs_[name].begun = true;
  jobs_[name].what.input.clear();
  note(name, "by libssh2");
}

void Libssh2BackEnd::on_end(const std::string& name, const CommandResult& result) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  if (!result.began) {
    // Servers allow ten sessions on a connection, if not told otherwise.
    found->second.holds_only = true;
    found->second.command.reset();
    return events_.hand_back(name,
                             where_ + " opens no further session on the connection (" + result.failure + ")");
  }
  JobReport report;
  report.state = JobState::ended;
  report.exit_code = result.exit_code;
  report.signal = result.signal;
  report.log = result.log;
  report.message = result.failure;
  finish(name, std::move(report));
}

void Libssh2BackEnd::finish(const std::string& name, JobReport report) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  std::shared_ptr<CommandChannel> command = std::move(found->second.command);
  jobs_.erase(found);
  if (command && connection_) connection_->drop(*command);
  drop_ports();
  report.job = name;
  report.where = where_;
  // Who is told may have more for this connection.
  events_.tell(std::move(report));
  if (jobs_.empty()) disconnect();
}

// Nobody needs them any more.
void Libssh2BackEnd::drop_ports() {
  auto is_needed = [this](std::uint16_t port) {
    return std::any_of(jobs_.begin(), jobs_.end(), [port](const auto& job) {
      return std::count(job.second.what.ports.begin(), job.second.what.ports.end(), port) != 0;
    });
  };
  auto first = std::partition(listening_.begin(), listening_.end(), is_needed);
  for (auto port = first; port != listening_.end(); ++port) {
    if (connection_) connection_->stop_listening(*port);
  }
  listening_.erase(first, listening_.end());
}

void Libssh2BackEnd::note(const std::string& name, std::string text) {
  events_.tell(noted(name, where_, std::move(text)));
}

}  // namespace tenkai::ssh
