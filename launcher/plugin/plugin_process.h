// A plugin program that runs beside the dispatcher: calls go out, answers and news
// come in. It is started when the first call needs it, and again at once when it dies.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launcher/plugin/messages.h"
#include "process/programs.h"

namespace tenkai {

// The command that runs a plugin: a program tenkai-plugin-NAME in the folders of
// $TENKAI_PLUGINS; else, where it is one of ours, `self plugin NAME`; else a program in
// libexec/tenkai of the prefix of the program `self`, or beside it. Or why there is none.
Result<std::vector<std::string>> find_plugin(const std::string& name, const std::string& self,
                                             const char* folders);
// The names that it knows a command for, sorted.
std::vector<std::string> plugin_names(const std::string& self, const char* folders);

class PluginProcess {
 public:
  struct Callbacks {
    std::function<void(const JobReport&)> on_news;
    // It has died, and with it what it held; it runs again, or `why_not` says why
    // it does not.
    std::function<void(const std::string& why_not)> on_died;
  };
  using OnAnswer = std::function<void(const PluginAnswer&)>;

  PluginProcess(asio::any_io_executor executor, std::string name, std::vector<std::string> command,
                Callbacks callbacks);

  // Its answer, or an error in its place: after `limit`, or when the plugin dies.
  void call(PluginCall call, std::chrono::milliseconds limit, OnAnswer on_answer);
  // Ends its input; calls `done` when it has ended. It is killed after 7 s.
  void close(std::function<void()> done);
  std::optional<pid_t> pid() const { return pid_; }

 private:
  struct Pending {
    OnAnswer on_answer;
    std::unique_ptr<asio::steady_timer> timer;
  };
  Result<Done> run();
  Result<Done> can_take(std::size_t size);
  void on_output(std::string_view bytes);
  void on_line(std::string_view line);
  void on_ended(const ProgramEnd& end);
  void break_off(const std::string& why);
  void answer(PluginAnswer answer);
  static PluginAnswer failed(std::uint64_t id, const std::string& message);

  asio::any_io_executor executor_;
  std::string name_;
  std::vector<std::string> command_;
  Callbacks callbacks_;
  Programs programs_;
  std::optional<pid_t> pid_;
  std::chrono::steady_clock::time_point born_{};
  int deaths_ = 0;  // in a row
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::string text_;
  std::string broken_off_;  // why it was killed by us
  std::function<void()> on_closed_;
  asio::steady_timer end_timer_;
};

}  // namespace tenkai
