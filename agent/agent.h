// Beside the R daemons of another node: dials the dispatcher once for all of
// them, starts them as its children, and knows how each one ends.
//
// While R computes the agent answers for it: heartbeats, cancellations, a broken
// connection. It dials again after a break, tells what its daemons hold, and
// delivers what could not be delivered. An answer is kept until the dispatcher
// has acknowledged it or sent the next task.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/rank.h"
#include "base/autoexit.h"
#include "base/daemon_call.h"
#include "base/random_stream.h"
#include "base/url.h"
#include "process/r_processes.h"
#include "wire/connection.h"
#include "wire/handshake.h"
#include "wire/tls.h"

namespace tenkai {

struct AgentOptions {
  // What becomes of the daemons when the dispatcher is gone.
  Autoexit autoexit = Autoexit::now;

  std::vector<Url> urls;  // one for each daemon, or one for all
  std::size_t daemons = 1;
  std::string rscript = "Rscript";
  DaemonOptions daemon;               // what all daemons are told
  std::vector<RandomStream> streams;  // of random numbers, one for each daemon; none: they have none
  bool output = false;
  // What proves to the dispatcher that we belong to it; not needed on one machine.
  std::optional<Credential> credential;
  std::uint32_t rank = 0;        // which of a job's
  std::size_t first_daemon = 0;  // of ours, among those of all agents
  std::string logs;              // a folder in which each R has a log of its own; empty: none
  std::string log_name;          // how the names of the logs begin
  bool task_logs = false;        // what each task writes in a file of its own, too
  bool in_job = false;           // a batch system ends us by a signal, and knows why
  // When that will be, where it is known: the daemons are told, and get nothing that
  // would not be done by then.
  std::optional<std::chrono::system_clock::time_point> job_end;
  std::optional<std::uint64_t> memory_limit;  // bytes, of each daemon with what it has started
  std::string certificates;                   // PEM: how a dispatcher with a certificate of its own is known
  // An R that runs already, and our end of the stream to it.
  std::optional<pid_t> adopt_pid;
  int adopt_fd = -1;
};

class Agent {
 public:
  Agent(asio::io_context& io, AgentOptions options);

  void start();
  // The program's exit code, once the io_context has stopped.
  int exit_code() const { return exit_code_; }

 private:
  using Clock = std::chrono::steady_clock;

  // the dispatcher
  void dial_dispatcher();
  void on_dialled(Result<ConnectionPtr> connection);
  Result<std::shared_ptr<const TlsDialler>> trust() const;
  void greet(const ConnectionPtr& connection);
  void expect_answer();
  Result<Frame> first_hello();
  void on_challenge(const Frame& frame);
  Frame introduction() const;
  void on_frame(Frame&& frame);
  void on_welcome(const Frame& frame);
  void on_disconnected(const Connection::End& end);
  void dial_again(const Error& why);
  void on_turned_away(const std::string& why);
  void give_up(const std::string& why);
  void complain(const std::string& why);
  void send(Frame frame);

  // the daemons
  void start_daemons();
  void start_daemon(std::uint32_t rank);
  void attach(std::uint32_t rank, int descriptor);
  void on_r_frame(std::uint32_t rank, Frame&& frame);
  void on_r_hello(std::uint32_t rank, const Frame& frame);
  void on_r_ended(std::uint32_t rank, const REnd& end);
  bool may_be_end_of_job(const REnd& end) const;
  void settle(std::uint32_t rank);
  void on_r_stream_ended(std::uint32_t rank);
  void leave_adopted(std::uint32_t rank);
  Frame left_of(const Rank& rank, const REnd& end) const;
  void report_left(Rank& rank, const REnd& end);
  void leave_down(Rank& rank, const REnd& end, const std::string& why);
  void tell_given_up(Rank& rank, const REnd& end);
  void end_without_r(const REnd& end, const std::string& why);
  void be_over(Rank& rank);
  void restart_after(std::uint32_t number, std::chrono::milliseconds pause);
  void join(Rank& rank);
  void on_task(Rank& rank, Frame&& frame);
  void on_cancel(Rank& rank, const Frame& frame);
  void tell_drain(const Rank& rank);

  // the end
  void wait_for_signal();
  void on_notice(int number);
  void on_signal(int number);
  void on_goodbye(bool stop);
  void end_daemons(bool interrupt);
  void insist();
  void finish_if_done();

  asio::io_context& io_;
  AgentOptions options_;
  std::string instance_;
  RProcesses processes_;
  asio::signal_set signals_;
  asio::steady_timer dial_timer_;
  asio::steady_timer end_timer_;
  std::shared_ptr<const TlsDialler> tls_;
  std::optional<DiallerHandshake> handshake_;
  std::optional<Resumption> resumption_;  // how we may come back after a break
  bool resuming_ = false;                 // we are trying that
  Clock::time_point born_ = Clock::now();
  ConnectionPtr dispatcher_;
  bool welcomed_ = false;      // now
  bool was_welcomed_ = false;  // ever
  std::vector<Rank> ranks_;
  std::optional<Clock::time_point> cut_off_since_;
  std::optional<Clock::time_point> turned_away_since_;
  std::chrono::milliseconds patience_{60000};
  std::chrono::milliseconds pause_{0};
  bool ending_ = false;
  bool is_draining_ = false;  // our job ends soon: no R is started again
  bool handed_back_ = false;  // what our daemons run is given to others
  bool finished_ = false;
  int exit_code_ = 0;
};

}  // namespace tenkai
