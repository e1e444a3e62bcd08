// A plugin whose jobs bring tenkai along, made of one that only submits them: what this session can
// give is put into its folder, once, and jobs that miss something take it from there (in_job.h).
//
// It is packed while the first job waits for its turn: no launch takes longer.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "launcher/bring/bring.h"
#include "launcher/plugin/plugin.h"
#include "process/programs.h"

namespace tenkai {

class OfferingPlugin : public Plugin {
 public:
  OfferingPlugin(asio::any_io_executor executor, Tell tell, const MakePlugin& make);

  Result<Rendered> render(const LaunchRequest& request) const override;
  void start(const LaunchRequest& request, Answer<Jobs> answer) override;
  void poll(const std::string& job, Answer<JobReport> answer) override;
  void cancel(const std::string& job, Answer<Done> answer) override;
  void close(std::function<void()> done) override;

 private:
  Result<Done> offer(const std::string& folder);
  void on_packed(const std::string& folder, const bring::Offers& offers, const std::string& output,
                 const ProgramEnd& end) const;

  Programs programs_;
  std::unique_ptr<Plugin> inner_;
  std::set<std::string> offered_;  // folders
};

}  // namespace tenkai
