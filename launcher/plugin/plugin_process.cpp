#include "launcher/plugin/plugin_process.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "base/path.h"
#include "base/text.h"
#include "launcher/plugin/failure.h"
#include "process/own_path.h"

namespace tenkai {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int max_deaths = 5;
// After so long a life a death is not one of a row.
constexpr std::chrono::seconds long_life{60};
constexpr std::chrono::seconds time_to_end{7};
// Calls that a plugin has not read.
constexpr std::size_t max_unread = 64 * 1024 * 1024;

bool is_plugin_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == name.npos;
}

const std::vector<std::string> own_plugins = {"command", "mpi", "slurm", "ssh"};

bool is_own_plugin(const std::string& name) {
  return std::find(own_plugins.begin(), own_plugins.end(), name) != own_plugins.end();
}

bool is_program(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

// A plugin may repeat what it was given, credential and all, and a command may write
// any bytes: R takes no zero, and terminals obey others.
void clean(FromPlugin& said) {
  auto clean = [](std::string& text) { text = printable_lines(redacted(std::move(text))); };
  for (JobReport* report : {said.news ? &*said.news : nullptr,
                            said.answer && said.answer->report ? &*said.answer->report : nullptr}) {
    if (report == nullptr) continue;
    for (std::string* text : {&report->message, &report->where, &report->log, &report->note}) clean(*text);
  }
  if (!said.answer) return;
  if (said.answer->error) clean(said.answer->error->message);
  if (said.answer->rendered) said.answer->rendered->text = redacted(std::move(said.answer->rendered->text));
}

constexpr std::string_view plugin_prefix = "tenkai-plugin-";

// Where programs of others are looked for, in this order: where the user says, and, if the
// plugin is none of ours, beside us. An older release has left programs of our names there.
std::vector<std::string> asked_places(const char* folders) {
  std::vector<std::string> places;
  for (std::string_view each : split(folders == nullptr ? "" : folders, ':')) {
    if (!each.empty()) places.emplace_back(each);
  }
  return places;
}
std::vector<std::string> installed_places(const std::string& self) {
  return {helper_folder(self), folder_of(self)};
}
std::vector<std::string> plugin_places(const std::string& self, const char* folders) {
  std::vector<std::string> places = asked_places(folders);
  for (std::string& each : installed_places(self)) places.push_back(std::move(each));
  return places;
}

std::string program_in(const std::vector<std::string>& places, const std::string& name) {
  for (const std::string& place : places) {
    std::string path = place + "/" + std::string(plugin_prefix) + name;
    if (is_program(path)) return path;
  }
  return "";
}

std::string how(const Ended& end) {
  if (end.signal) return "was killed by signal " + std::to_string(*end.signal);
  if (end.exit_code) return "ended with exit code " + std::to_string(*end.exit_code);
  return "ended";
}

}  // namespace

Result<std::vector<std::string>> find_plugin(const std::string& name, const std::string& self,
                                             const char* folders) {
  if (!is_plugin_name(name))
    return Error{"'" + printable(name, 40) + "' is not the name of a launcher plugin"};
  if (std::string path = program_in(asked_places(folders), name); !path.empty())
    return std::vector<std::string>{path};
  if (is_own_plugin(name)) return std::vector<std::string>{self, "plugin", name};
  if (std::string path = program_in(installed_places(self), name); !path.empty())
    return std::vector<std::string>{path};
  return Error{"there is no launcher plugin '" + name + "': it is none of ours (" + join(own_plugins, ", ") +
               "), and there is no program tenkai-plugin-" + name + " in " +
               join(plugin_places(self, folders), ", ") + "; name its folder in TENKAI_PLUGINS"};
}

std::vector<std::string> plugin_names(const std::string& self, const char* folders) {
  std::set<std::string> names(own_plugins.begin(), own_plugins.end());
  for (const std::string& place : plugin_places(self, folders)) {
    std::error_code ignored;
    std::filesystem::directory_iterator entry(place, ignored);
    for (; !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
      std::string file = entry->path().filename().string();
      if (!file.starts_with(plugin_prefix)) continue;
      std::string name = file.substr(plugin_prefix.size());
      if (is_plugin_name(name) && is_program(entry->path().string())) names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

PluginProcess::PluginProcess(asio::any_io_executor executor, std::string name,
                             std::vector<std::string> command, Callbacks callbacks)
    : executor_(executor),
      name_(std::move(name)),
      command_(std::move(command)),
      callbacks_(std::move(callbacks)),
      programs_(executor),
      end_timer_(executor) {}

Result<Done> PluginProcess::run() {
  ProgramStart start;
  start.argv = command_;
  start.keep_input = true;
  start.show_errors = std::getenv("TENKAI_LOG") != nullptr;
  start.on_output = [this](std::string_view bytes) { on_output(bytes); };
  Result<pid_t> pid = programs_.start(std::move(start), [this](const ProgramEnd& end) { on_ended(end); });
  if (!pid) return pid.error();
  pid_ = *pid;
  born_ = Clock::now();
  text_.clear();
  return Done{};
}

PluginAnswer PluginProcess::failed(std::uint64_t id, const std::string& message) {
  PluginAnswer answer;
  answer.id = id;
  answer.error = PluginError{cause::plugin, message};
  return answer;
}

// Starts it, where it does not run.
Result<Done> PluginProcess::can_take(std::size_t size) {
  if (size > max_plugin_line) return Error{"the launch is too long for a plugin: more than 4 MiB"};
  Result<Done> runs = pid_ || on_closed_ ? Result<Done>(Done{}) : run();
  if (!runs) return runs;
  if (on_closed_ || programs_.unread(*pid_) > max_unread)
    return Error{"the launcher plugin '" + name_ + "' takes no more calls"};
  return Done{};
}

void PluginProcess::call(PluginCall call, std::chrono::milliseconds limit, OnAnswer on_answer) {
  call.id = ++last_id_;
  call.deadline = limit;
  std::string line = encode(call) + "\n";
  Result<Done> good = can_take(line.size());
  if (!good) {
    asio::post(executor_, [on_answer = std::move(on_answer), id = call.id, why = good.error().message] {
      on_answer(failed(id, why));
    });
    return;
  }
  Pending& pending = pending_[call.id];
  pending.on_answer = std::move(on_answer);
  pending.timer = std::make_unique<asio::steady_timer>(executor_, limit);
  pending.timer->async_wait([this, id = call.id, limit](boost::system::error_code cancelled) {
    if (cancelled) return;
    answer(failed(id, "the launcher plugin '" + name_ + "' has not answered within " +
                          std::to_string(limit.count() / 1000) + " s"));
  });
  programs_.write(*pid_, std::move(line));
}

void PluginProcess::answer(PluginAnswer answer) {
  auto found = pending_.find(answer.id);
  if (found == pending_.end()) return;  // too late
  OnAnswer on_answer = std::move(found->second.on_answer);
  pending_.erase(found);
  on_answer(answer);
}

void PluginProcess::on_output(std::string_view bytes) {
  if (!broken_off_.empty()) return;
  text_.append(bytes);
  std::size_t begin = 0;
  for (std::size_t end; (end = text_.find('\n', begin)) != text_.npos; begin = end + 1) {
    on_line(std::string_view(text_).substr(begin, end - begin));
    if (!broken_off_.empty()) return;
  }
  text_.erase(0, begin);
  if (text_.size() > max_plugin_line) break_off("wrote a line of more than 4 MiB");
}

void PluginProcess::on_line(std::string_view line) {
  if (trim(line).empty()) return;
  Result<FromPlugin> said = parse_from_plugin(line);
  if (!said) return break_off("wrote what is no answer: " + redacted(said.error().message));
  clean(*said);
  if (said->news) return callbacks_.on_news(*said->news);
  answer(std::move(*said->answer));
}

void PluginProcess::break_off(const std::string& why) {
  broken_off_ = why;
  text_.clear();
  if (pid_) programs_.signal(*pid_, SIGKILL);
}

void PluginProcess::on_ended(const ProgramEnd& end) {
  pid_.reset();
  if (Clock::now() - born_ > long_life) deaths_ = 0;
  ++deaths_;
  std::string why =
      "the launcher plugin '" + name_ + "' " + (broken_off_.empty() ? how(end.how) : broken_off_);
  broken_off_.clear();
  if (!end.log.empty()) why += "; its last lines:\n" + printable(redacted(end.log), 1000);
  auto lost = std::move(pending_);
  pending_.clear();
  for (auto& [id, pending] : lost) pending.on_answer(failed(id, why));
  if (on_closed_) {
    end_timer_.cancel();
    return std::exchange(on_closed_, nullptr)();
  }
  spdlog::warn("{}", why);
  if (deaths_ > max_deaths)
    return callbacks_.on_died(why + ", " + std::to_string(deaths_) + " times in a row");
  // Who has heard that a call was lost may have made another one.
  Result<Done> again = pid_ ? Result<Done>(Done{}) : run();
  callbacks_.on_died(again ? "" : again.error().message);
}

void PluginProcess::close(std::function<void()> done) {
  if (!pid_) return asio::post(executor_, std::move(done));
  on_closed_ = std::move(done);
  programs_.close_input(*pid_);
  end_timer_.expires_after(time_to_end);
  end_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled && pid_) programs_.signal(*pid_, SIGKILL);
  });
}

}  // namespace tenkai
