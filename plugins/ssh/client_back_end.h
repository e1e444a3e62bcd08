// Runs the OpenSSH client, once for each job: it brings its own configuration, agents,
// jump hosts, tokens.
//
// A port can be forwarded once only. The first job that needs it carries it, with its
// command; those that come later use it, with the ports of their own that nobody
// carries, and when the carrier ends while they run, a client without a command takes
// over.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/ssh/back_end.h"
#include "plugins/ssh/remote.h"
#include "process/programs.h"

namespace tenkai::ssh {

class ClientBackEnd : public BackEnd {
 public:
  // `programs` outlives it.
  ClientBackEnd(asio::any_io_executor executor, Programs& programs, SshRequest request, std::string note,
                Events events);
  ~ClientBackEnd() override;

  void start(SshJob job) override;
  void cancel(const std::string& job) override;
  void close() override;

 private:
  using Ports = std::vector<std::uint16_t>;
  struct Job {
    SshJob what;
    pid_t pid = 0;  // of its client; 0: none, it uses a tunnel or waits for one
    Ports carries;  // those of its ports that its client forwards
    bool cancelled = false;
    bool holds_only = false;                      // no command (any more), the tunnel alone
    std::chrono::steady_clock::time_point since;  // when its tunnel was lost, or first asked for
    std::chrono::milliseconds backoff{200};
    std::unique_ptr<asio::steady_timer> timer;
  };

  void run(Job& job);
  void on_end(const std::string& name, const ProgramEnd& end);
  void start_again(Job& job, const Failure& why);
  void hand_on(const Ports& ports);
  bool is_carried(std::uint16_t port) const;
  Ports uncarried(const Ports& ports) const;
  bool is_needed(const Ports& ports) const;
  void finish(const std::string& name, JobReport report);
  void note(const std::string& name, std::string text);

  asio::any_io_executor executor_;
  Programs& programs_;
  SshRequest request_;
  std::string where_;
  std::string note_;
  Events events_;
  std::map<std::string, Job> jobs_;
  bool closing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tenkai::ssh
