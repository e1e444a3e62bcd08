// A way to start daemons somewhere else. A plugin is a process of its own, `tenkai plugin
// NAME`, and lives as long as what it holds: an SSH connection, a tunnel. One thread, one
// event loop: nothing here may block.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/messages.h"

namespace tenkai {

namespace asio = boost::asio;

class Plugin {
 public:
  using Tell = std::function<void(JobReport)>;  // news of a job
  using Jobs = std::vector<std::string>;
  template <class Value>
  using Answer = std::function<void(Result<Value>)>;

  virtual ~Plugin() = default;

  // The command that would be run. Touches nothing: --dry-run prints it, tests compare it.
  virtual Result<Rendered> render(const LaunchRequest& request) const = 0;
  // Begins a launch. Answers once, now or later, with a name for the job of each of
  // its agents, which is unique in this process; an error means that nothing was begun.
  // What becomes of the jobs afterwards is told as news.
  virtual void start(const LaunchRequest& request, Answer<Jobs> answer) = 0;
  virtual void poll(const std::string& job, Answer<JobReport> answer) = 0;
  // Ends the job, started or not. An unknown one is no error: it has ended.
  virtual void cancel(const std::string& job, Answer<Done> answer) = 0;
  // The dispatcher is gone, or has told its daemons to go: what has not begun is
  // dropped, what runs may end by itself; `done` is called when nothing is left. The
  // program ends then, and after 6 seconds in any case.
  virtual void close(std::function<void()> done) = 0;
};

using MakePlugin = std::function<std::unique_ptr<Plugin>(asio::any_io_executor, Plugin::Tell)>;

// Serves calls on stdin until it ends. Logs to stderr, at the level of TENKAI_LOG.
int run_plugin(const std::string& name, const MakePlugin& make);

}  // namespace tenkai
