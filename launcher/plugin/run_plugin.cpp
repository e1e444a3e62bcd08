#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "launcher/plugin/plugin.h"

namespace tenkai {
namespace {

// After the dispatcher has gone; it waits 7 seconds for us.
constexpr std::chrono::seconds time_to_close{6};

// The dispatcher's end of a plugin program: calls come in, answers and news go out.
class Host {
 public:
  Host(asio::io_context& io, const MakePlugin& make)
      : io_(io), in_(io, STDIN_FILENO), out_(io, STDOUT_FILENO), end_timer_(io) {
    plugin_ = make(io.get_executor(), [this](JobReport news) { write(encode(news)); });
    read();
  }

 private:
  void read() {
    in_.async_read_some(asio::buffer(buffer_), [this](boost::system::error_code failed, std::size_t size) {
      if (failed) return close();
      text_.append(buffer_.data(), size);
      std::size_t begin = 0;
      for (std::size_t end; (end = text_.find('\n', begin)) != text_.npos; begin = end + 1) {
        on_line(std::string_view(text_).substr(begin, end - begin));
      }
      text_.erase(0, begin);
      if (text_.size() > max_plugin_line) {
        spdlog::error("a call of more than 4 MiB came");
        return close();
      }
      read();
    });
  }

  void on_line(std::string_view line) {
    if (trim(line).empty()) return;
    Result<PluginCall> call = parse_call(line);
    if (!call) return refuse(line, call.error().message);
    std::uint64_t id = call->id;
    switch (call->verb) {
      case PluginCall::Verb::render: return answer(id, plugin_->render(call->request));
      case PluginCall::Verb::start: return start(*call);
      case PluginCall::Verb::poll:
        return plugin_->poll(call->job, [this, id](Result<JobReport> report) { answer(id, report); });
      case PluginCall::Verb::cancel:
        return plugin_->cancel(call->job, [this, id](Result<Done> done) { answer(id, done); });
    }
  }

  // Where not even its number can be read there is nobody to tell; and not with the
  // line, which may hold a credential.
  void refuse(std::string_view line, const std::string& why) {
    std::optional<std::uint64_t> id = id_of_call(line);
    if (!id) return spdlog::error("a call could not be read");
    answer(*id, Result<Done>(Error{"the call could not be read: " + why}));
  }

  // The same key again means that our answer was not heard.
  void start(const PluginCall& call) {
    auto known = started_.find(call.key);
    if (!call.key.empty() && known != started_.end())
      return answer(call.id, Result<Plugin::Jobs>(known->second));
    plugin_->start(call.request, [this, id = call.id, key = call.key](Result<Plugin::Jobs> jobs) {
      if (jobs && !key.empty()) started_[key] = *jobs;
      answer(id, jobs);
    });
  }

  template <class Value>
  void answer(std::uint64_t id, const Result<Value>& result) {
    PluginAnswer answer;
    answer.id = id;
    if (!result) {
      answer.error = PluginError{{}, result.error().message};
    } else {
      put(answer, *result);
    }
    write(encode(answer));
  }
  static void put(PluginAnswer& into, const Rendered& rendered) { into.rendered = rendered; }
  static void put(PluginAnswer& into, const Plugin::Jobs& jobs) { into.jobs = jobs; }
  static void put(PluginAnswer& into, const JobReport& report) { into.report = report; }
  static void put(PluginAnswer& into, const Done&) { into.done = true; }

  void write(std::string line) {
    outbox_.push_back(std::move(line) + "\n");
    if (outbox_.size() == 1) write_next();
  }
  void write_next() {
    asio::async_write(out_, asio::buffer(outbox_.front()),
                      [this](boost::system::error_code failed, std::size_t) {
                        if (failed) return close();
                        outbox_.pop_front();
                        if (!outbox_.empty()) write_next();
                      });
  }

  void close() {
    if (std::exchange(closing_, true)) return;
    end_timer_.expires_after(time_to_close);
    end_timer_.async_wait([this](boost::system::error_code) { io_.stop(); });
    plugin_->close([this] { io_.stop(); });
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor in_;
  asio::posix::stream_descriptor out_;
  asio::steady_timer end_timer_;
  std::unique_ptr<Plugin> plugin_;
  std::array<char, 65536> buffer_{};
  std::string text_;
  std::deque<std::string> outbox_;
  std::map<std::string, Plugin::Jobs> started_;  // by key
  bool closing_ = false;
};

void start_log(const std::string& name) {
  const char* level = std::getenv("TENKAI_LOG");
  auto log = spdlog::stderr_logger_st(name);
  log->set_pattern("%Y-%m-%d %H:%M:%S.%e " + name + "[" + std::to_string(::getpid()) + "] %l: %v");
  log->set_level(level == nullptr ? spdlog::level::off : spdlog::level::from_str(level));
  spdlog::set_default_logger(log);
}

}  // namespace

int run_plugin(const std::string& name, const MakePlugin& make) {
  std::signal(SIGPIPE, SIG_IGN);
  // Ours is the end of standard input: a Ctrl-C in the terminal is for the session.
  std::signal(SIGINT, SIG_IGN);
  start_log("tenkai-plugin-" + name);
  asio::io_context io(1);
  Host host(io, make);
  io.run();
  return 0;
}

}  // namespace tenkai
