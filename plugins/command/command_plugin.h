// Runs, on this machine, a command that brings daemons into being somewhere: what
// remote_config() describes.
//
// options: `program`, the first words of the command; `args`, further ones, in which
// each element "." stands for the daemons' command; `quote`, "0" where it is not to
// be one quoted word there. Without `program` it is the daemons' command itself.
// The text goes to /bin/sh, because it is written for one: `args = c("-p 22 host", ".")`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "launcher/plugin/plugin.h"
#include "process/programs.h"

namespace tenkai::command {

class CommandPlugin : public Plugin {
 public:
  CommandPlugin(asio::any_io_executor executor, Tell tell) : tell_(std::move(tell)), programs_(executor) {}

  Result<Rendered> render(const LaunchRequest& request) const override;
  void start(const LaunchRequest& request, Answer<Jobs> answer) override;
  void poll(const std::string& job, Answer<JobReport> answer) override;
  void cancel(const std::string& job, Answer<Done> answer) override;
  void close(std::function<void()> done) override;
  ~CommandPlugin() override;

 private:
  struct Job {
    pid_t pid;
    bool stays;
  };
  void check_empty();

  Tell tell_;
  Programs programs_;
  std::map<std::string, Job> running_;
  std::uint64_t last_ = 0;
  std::function<void()> on_empty_;
};

// The line for /bin/sh, or why there is none.
Result<std::string> command_line(const LaunchRequest& request);

}  // namespace tenkai::command
