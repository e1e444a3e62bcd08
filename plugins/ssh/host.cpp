#include "plugins/ssh/host.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/ssh/client_back_end.h"
#include "plugins/ssh/client_line.h"
#ifdef TENKAI_LIBSSH2
#include "plugins/ssh/libssh2/libssh2_back_end.h"
#endif

namespace tenkai::ssh {
namespace {

constexpr std::chrono::seconds limit_of_settings{5};
constexpr std::size_t max_settings = 1024 * 1024;

#ifdef TENKAI_LIBSSH2
constexpr bool has_libssh2 = true;
// One packet of libssh2 carries the command.
constexpr std::size_t longest_command = 30'000;
#else
constexpr bool has_libssh2 = false;
#endif

}  // namespace

Host::Host(asio::any_io_executor executor, Programs& programs, SshRequest request, Tell tell)
    : executor_(std::move(executor)),
      programs_(programs),
      request_(std::move(request)),
      tell_(std::move(tell)) {}

Host::~Host() {
  *alive_ = false;
  if (asking_ != 0) programs_.signal(asking_, SIGKILL);
}

void Host::start(SshJob job) {
  std::string name = job.name;
  jobs_[name] = std::move(job);
  if (chosen_) return begin(jobs_[name]);
  if (asking_ == 0) ask_settings();
}

void Host::ask_settings() {
  if (!request_.client.empty()) {
    facts_.client_is_forced = true;
    return choose(std::move(facts_));
  }
  ProgramStart start;
  start.argv = settings_argv(request_);
  start.on_output = [this, alive = alive_](std::string_view text) {
    if (*alive && settings_.size() + text.size() <= max_settings) settings_ += text;
  };
  Result<pid_t> pid = programs_.start(std::move(start), [this, alive = alive_](const ProgramEnd& end) {
    if (*alive) on_settings(end);
  });
  if (!pid) return choose(gather_facts(plain_settings(request_.remote, who_am_i())));
  asking_ = *pid;
  // Its configuration may run programs of the user's, and ask name servers.
  limit_ = std::make_unique<asio::steady_timer>(executor_, limit_of_settings);
  limit_->async_wait([this, alive = alive_](boost::system::error_code failed) {
    if (!failed && *alive && asking_ != 0) programs_.signal(asking_, SIGKILL);
  });
}

void Host::on_settings(const ProgramEnd& end) {
  asking_ = 0;
  limit_.reset();
  if (end.how.signal) {
    return end_all(
        {cause::plugin,
         "ssh -G did not tell the settings of " + to_string(request_.remote) +
             " within 5 s: look for what hangs in ~/.ssh/config (Match exec, CanonicalizeHostname)"});
  }
  Result<HostSettings> settings = parse_settings(settings_, who_am_i());
  if (!settings) {
    std::string why = end.log.empty() ? settings.error().message : end.log;
    return end_all({cause::plugin, "ssh did not take its configuration: " + why});
  }
  Facts facts = gather_facts(*settings);
  facts.has_client = true;
  choose(std::move(facts));
}

void Host::choose(Facts facts) {
  facts.has_libssh2 = has_libssh2;
  facts.client_has_args = !request_.client_args.empty();
  facts_ = std::move(facts);
  Choice choice = choose_back_end(facts_);
  chosen_ = true;
  use_client_ = choice.client;
  spdlog::info("{}: by {}{}{}", to_string(request_.remote), choice.client ? "the OpenSSH client" : "libssh2",
               choice.reason.empty() ? "" : ", because ", choice.reason);
  if (use_client_) client(choice.reason);
#ifdef TENKAI_LIBSSH2
  if (!use_client_) {
    Libssh2Host host{facts_.settings, facts_.identities, facts_.known, request_.timeout};
    libssh2_ = std::make_unique<Libssh2BackEnd>(executor_, std::move(host), events());
  }
#endif
  std::vector<std::string> names;
  for (const auto& [name, job] : jobs_) names.push_back(name);
  for (const std::string& name : names) {
    auto found = jobs_.find(name);
    if (found != jobs_.end()) begin(found->second);
  }
}

void Host::begin(const SshJob& job) {
  if (use_client_) return client_->start(job);
#ifdef TENKAI_LIBSSH2
  if (job.command.size() > longest_command && facts_.has_client && job.ports.empty()) {
    return client("the command is too long for libssh2").start(job);
  }
  libssh2_->start(job);
#endif
}

BackEnd& Host::client(const std::string& why) {
  if (!client_) {
    std::string note = "by the OpenSSH client, because " + why;
    client_ = std::make_unique<ClientBackEnd>(executor_, programs_, request_, note, events());
  }
  return *client_;
}

BackEnd::Events Host::events() {
  return {[this](JobReport report) { on_news(std::move(report)); },
          [this](const Refusal& refusal) { on_refused(refusal); },
          [this](const std::string& job, const std::string& why) { on_handed_back(job, why); }};
}

void Host::on_news(JobReport report) {
  auto found = jobs_.find(report.job);
  if (found == jobs_.end()) return;
  if (report.state == JobState::ended || report.state == JobState::failed) {
    jobs_.erase(found);
    // What was handed back has left its tunnel there.
    if (libssh2_) libssh2_->cancel(report.job);
  } else {
    found->second.input.clear();
  }
  tell_(std::move(report));
}

void Host::on_refused(const Refusal& refusal) {
  if (!refusal.client_may || !facts_.has_client) return end_all(refusal.failure);
  spdlog::info("{}: by the OpenSSH client, because libssh2 failed: {}", to_string(request_.remote),
               refusal.failure.message);
  use_client_ = true;
  client("libssh2 failed: " + refusal.failure.message);
  std::map<std::string, SshJob> jobs = jobs_;
  for (auto& [name, job] : jobs) {
    if (jobs_.count(name) != 0) client_->start(std::move(job));
  }
}

void Host::on_handed_back(const std::string& name, const std::string& why) {
  auto found = jobs_.find(name);
  if (found == jobs_.end()) return;
  if (!facts_.has_client) {
    JobReport report;
    report.job = name;
    report.state = JobState::failed;
    report.cause = cause::unknown;
    report.message = why;
    return on_news(std::move(report));
  }
  SshJob job = found->second;
  job.ports.clear();
  client(why).start(std::move(job));
}

void Host::end_all(const Failure& failure) {
  std::map<std::string, SshJob> jobs = std::move(jobs_);
  jobs_.clear();
  for (const auto& [name, job] : jobs) {
    JobReport report;
    report.job = name;
    report.state = JobState::failed;
    report.cause = failure.cause;
    report.message = failure.message;
    report.where = to_string(request_.remote);
    tell_(std::move(report));
  }
}

void Host::cancel(const std::string& name) {
  if (!chosen_ && jobs_.count(name) != 0) {
    JobReport report;
    report.job = name;
    report.state = JobState::failed;
    report.cause = cause::cancelled;
    report.message = "it was cancelled before it began";
    return on_news(std::move(report));
  }
  // The client first: what libssh2 holds of a job that it has handed back is the tunnel.
  if (client_) client_->cancel(name);
  if (libssh2_ && jobs_.count(name) != 0) libssh2_->cancel(name);
}

void Host::close() {
  if (!chosen_) return end_all({cause::cancelled, "the session ended before it began"});
  if (client_) client_->close();
  if (libssh2_) libssh2_->close();
}

}  // namespace tenkai::ssh
