// All jobs on a host over one connection of libssh2.
//
// A connection that is lost takes its commands from our sight. Those that need a
// tunnel are assumed to go on: the connection is made again for them, for a minute.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugins/ssh/back_end.h"
#include "plugins/ssh/libssh2/connection.h"

namespace tenkai::ssh {

class Libssh2BackEnd : public BackEnd {
 public:
  Libssh2BackEnd(asio::any_io_executor executor, Libssh2Host host, Events events);
  ~Libssh2BackEnd() override;

  void start(SshJob job) override;
  void cancel(const std::string& name) override;
  void close() override;

 private:
  using Clock = std::chrono::steady_clock;

  struct Job {
    SshJob what;
    bool begun = false;                // its command runs, as far as we know
    bool holds_only = false;           // no command (any more), the tunnel alone
    std::chrono::seconds patience{0};  // with ports that a server before ours may hold
    std::size_t answers = 0;           // of its ports
    Clock::time_point since;           // its ports have been asked for
    std::shared_ptr<CommandChannel> command;
    std::map<std::uint16_t, asio::steady_timer> timers;  // of ports that are asked for again
  };

  // From within the connection's callbacks neither it nor a job's command may go.
  template <class Function>
  void later(Function function) {
    asio::post(executor_, [alive = alive_, function = std::move(function)] {
      if (*alive) function();
    });
  }

  // libssh2_jobs.cpp: a job's ports first, then its command, to its end.
  void begin(const std::string& name);
  void ask_port(const std::string& name, std::uint16_t port);
  void on_port(const std::string& name);
  void on_port_refused(const std::string& name, std::uint16_t port);
  void on_ports(const std::string& name);
  void on_begun(const std::string& name);
  void on_end(const std::string& name, const CommandResult& result);
  void finish(const std::string& name, JobReport report);
  void drop_ports();
  void note(const std::string& name, std::string text);

  // libssh2_back_end.cpp: the connection, made, lost, and made again.
  void connect();
  void on_opened();
  void on_refused(const Refusal& refusal);
  void on_lost(const std::string& why);
  void on_lost_by(const std::string& name, const std::string& why);
  void on_still_lost(const Failure& failure);
  void reconnect();
  void disconnect();
  void end_idle_holders();
  std::vector<std::string> names() const;

  asio::any_io_executor executor_;
  Libssh2Host host_;
  std::string where_;
  Events events_;
  asio::steady_timer timer_;
  std::shared_ptr<Connection> connection_;
  bool is_open_ = false;
  bool was_open_ = false;
  bool waits_ = false;  // to connect again
  bool closing_ = false;
  Clock::time_point lost_at_;
  std::chrono::milliseconds backoff_{0};
  std::map<std::string, Job> jobs_;
  std::vector<std::uint16_t> listening_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tenkai::ssh
