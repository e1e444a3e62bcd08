// Runs commands on other machines by SSH, and leads their daemons back by a tunnel
// where they cannot reach us.
//
// options: `remote`, "ssh://user@host:port" or a host of ~/.ssh/config; `timeout`, in
// seconds, to connect and log in (10); `tunnel`, "1" where the ports of the URLs are
// to be forwarded from there; `client`, a program to use in place of libssh2;
// `config`, an ssh_config file; `client_args`, more words for the client.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "launcher/plugin/plugin.h"
#include "plugins/ssh/host.h"

namespace tenkai::ssh {

class SshPlugin : public Plugin {
 public:
  SshPlugin(asio::any_io_executor executor, Tell tell)
      : executor_(executor), tell_(std::move(tell)), programs_(executor) {}

  Result<Rendered> render(const LaunchRequest& request) const override;
  void start(const LaunchRequest& request, Answer<Jobs> answer) override;
  void poll(const std::string& job, Answer<JobReport> answer) override;
  void cancel(const std::string& job, Answer<Done> answer) override;
  void close(std::function<void()> done) override;

 private:
  struct Job {
    std::string host;  // its key
    JobReport last;
    bool stays = false;
  };
  Host& host_for(const SshRequest& request, const std::string& key);
  void on_news(JobReport report);
  void leave(const std::string& key);
  void check_empty();

  asio::any_io_executor executor_;
  Tell tell_;
  Programs programs_;
  std::map<std::string, std::unique_ptr<Host>> hosts_;  // by what makes a connection another
  std::map<std::string, Job> jobs_;
  std::uint64_t last_ = 0;
  std::function<void()> on_empty_;
};

}  // namespace tenkai::ssh
