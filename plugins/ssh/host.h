// One host as a user sees it from here, and its jobs: asks for its settings, chooses
// the back end, and takes the other one where the first has failed in a way the other
// may not.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "plugins/ssh/back_end.h"
#include "plugins/ssh/choice.h"
#include "plugins/ssh/remote.h"
#include "process/programs.h"

namespace tenkai::ssh {

class Host {
 public:
  using Tell = std::function<void(JobReport)>;
  // `programs` outlives it. Not to be destroyed from within `tell`.
  Host(asio::any_io_executor executor, Programs& programs, SshRequest request, Tell tell);
  ~Host();

  void start(SshJob job);
  void cancel(const std::string& job);
  void close();
  bool is_empty() const { return jobs_.empty(); }

 private:
  void ask_settings();
  void on_settings(const ProgramEnd& end);
  void choose(Facts facts);
  void begin(const SshJob& job);
  void on_news(JobReport report);
  void on_refused(const Refusal& refusal);
  void on_handed_back(const std::string& job, const std::string& why);
  void end_all(const Failure& failure);
  BackEnd& client(const std::string& why);
  BackEnd::Events events();

  asio::any_io_executor executor_;
  Programs& programs_;
  SshRequest request_;
  Tell tell_;
  std::map<std::string, SshJob> jobs_;  // as they came, until they have begun: then without input
  Facts facts_;
  bool chosen_ = false;
  bool use_client_ = false;
  std::string settings_;  // what ssh -G has written
  pid_t asking_ = 0;
  std::unique_ptr<asio::steady_timer> limit_;
  std::unique_ptr<BackEnd> libssh2_;
  std::unique_ptr<BackEnd> client_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tenkai::ssh
