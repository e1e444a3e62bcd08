// A plugin whose launches bring tenkai along, made of one that only runs commands: where a
// command of ours ends because the package or the program is missing there, or is of another
// version, the same launcher takes them there, and runs it again.
//
// Only a command that has failed so is looked at: where all is there, nothing takes longer.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "launcher/bring/bringing.h"
#include "launcher/plugin/plugin.h"

namespace tenkai {

class BringingPlugin : public Plugin {
 public:
  BringingPlugin(asio::any_io_executor executor, Tell tell, const MakePlugin& make);
  ~BringingPlugin() override;

  Result<Rendered> render(const LaunchRequest& request) const override { return inner_->render(request); }
  void start(const LaunchRequest& request, Answer<Jobs> answer) override;
  void poll(const std::string& job, Answer<JobReport> answer) override;
  void cancel(const std::string& job, Answer<Done> answer) override;
  void close(std::function<void()> done) override;

 private:
  // A launch, as the dispatcher knows it by the name of its first job.
  struct Job {
    std::string name;
    std::string runs;  // its job of the plugin below; empty: it waits until tenkai is there
    LaunchRequest request;
    bool may_bring = true;
    bool has_brought = false;  // it runs with what was brought before
    JobReport end;             // how it ended that waits
    JobReport last;            // while it waits: what poll() is told
    std::unique_ptr<asio::steady_timer> limit;
  };
  // Where launches find the same R.
  struct Place {
    bool is_ready = false;
    Brought brought;
    std::unique_ptr<bring::Bringing> bringing;
    std::string step;  // the job of the plugin below that does it
    std::string hold;  // the job that keeps the connection open between steps
    std::vector<std::string> waiting;
    std::unique_ptr<asio::steady_timer> limit;
  };

  void keep(const std::string& name, const LaunchRequest& request, bool has_brought);
  void on_news(JobReport report);
  bool can_be_helped(const Job& job, const JobReport& report) const;
  void wait_for_it(Job& job, JobReport end);
  void bring_to(const std::string& key, const LaunchRequest& request, const std::string& folder);
  void limit_time(const std::string& key);
  void hold_connection(const std::string& key, const LaunchRequest& request);
  void on_brought(const std::string& key, const Result<Brought>& brought);
  void run_again(const std::string& name, const Brought& brought);
  void give_up(const std::string& name, const std::string& why);
  void drop(const std::string& name, const std::string& why);
  void finish(std::string name, JobReport report);
  Job* job_that_runs(const std::string& inner);

  asio::any_io_executor executor_;
  Tell tell_;
  Programs programs_;
  std::unique_ptr<Plugin> inner_;
  std::map<std::string, Job> jobs_;
  std::map<std::string, Place> places_;
  std::map<std::string, bring::Bringing::OnEnd> steps_;  // by their jobs
  bool closing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tenkai
