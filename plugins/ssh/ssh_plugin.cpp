#include "plugins/ssh/ssh_plugin.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "launcher/template/shell.h"
#include "plugins/ssh/client_line.h"

namespace tenkai::ssh {
namespace {

// Jobs with the same share a connection.
std::string key_of(const SshRequest& request) {
  std::vector<std::string> parts{to_string(request.remote), std::to_string(request.timeout.count()),
                                 request.client, request.config, join(request.client_args, "\n")};
  return join(parts, "\n");
}

bool holds_nul(const std::string& word) { return word.find('\0') != word.npos; }

}  // namespace

Result<Rendered> SshPlugin::render(const LaunchRequest& launch) const {
  Result<SshRequest> request = read_request(launch);
  if (!request) return request.error();
  return Rendered{client_line(*request, launch.command)};
}

void SshPlugin::start(const LaunchRequest& launch, Answer<Jobs> answer) {
  Result<SshRequest> request = read_request(launch);
  if (!request) return answer(request.error());
  if (launch.running && request->ports.empty())
    return answer(Error{"the command is not held by this plugin, and there is no tunnel to make again"});
  if (std::any_of(launch.command.begin(), launch.command.end(), holds_nul))
    return answer(Error{"no argument of a command can hold a zero byte"});
  SshJob job;
  job.name = "ssh-" + std::to_string(++last_);
  if (!launch.running) {
    job.command = shell_command(launch.command);
    job.input = launch.input;
    job.keeps_input = launch.flag("keep-input");
  }
  job.ports = request->ports;
  job.stays = launch.stays;
  std::string key = key_of(*request);
  Job& known = jobs_[job.name];
  known = {key, {}, launch.stays};
  known.last.job = job.name;
  answer(Jobs{job.name});
  host_for(*request, key).start(std::move(job));
}

Host& SshPlugin::host_for(const SshRequest& request, const std::string& key) {
  std::unique_ptr<Host>& host = hosts_[key];
  if (!host) {
    host = std::make_unique<Host>(executor_, programs_, request,
                                  [this](JobReport report) { on_news(std::move(report)); });
  }
  return *host;
}

void SshPlugin::on_news(JobReport report) {
  auto found = jobs_.find(report.job);
  if (found == jobs_.end()) return;
  if (report.state == JobState::ended || report.state == JobState::failed) {
    std::string key = found->second.host;
    jobs_.erase(found);
    // Not now: the host is at work.
    asio::post(executor_, [this, key] { leave(key); });
  } else {
    found->second.last = report;
    found->second.last.note.clear();
  }
  tell_(std::move(report));
  check_empty();
}

void SshPlugin::leave(const std::string& key) {
  auto found = hosts_.find(key);
  if (found != hosts_.end() && found->second->is_empty()) hosts_.erase(found);
}

void SshPlugin::poll(const std::string& job, Answer<JobReport> answer) {
  auto found = jobs_.find(job);
  if (found != jobs_.end()) return answer(found->second.last);
  JobReport report;
  report.job = job;
  report.state = JobState::ended;
  answer(report);
}

void SshPlugin::cancel(const std::string& job, Answer<Done> answer) {
  answer(Done{});
  auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  auto host = hosts_.find(found->second.host);
  if (host != hosts_.end()) host->second->cancel(job);
}

void SshPlugin::close(std::function<void()> done) {
  on_empty_ = std::move(done);
  for (const auto& [key, host] : hosts_) host->close();
  check_empty();
}

void SshPlugin::check_empty() {
  bool waits = std::any_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return !job.second.stays; });
  if (waits || !on_empty_) return;
  // What was told must get out before the program ends.
  asio::post(executor_, std::exchange(on_empty_, nullptr));
}

}  // namespace tenkai::ssh
