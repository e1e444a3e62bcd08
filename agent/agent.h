// Beside the R daemons of another node: dials the dispatcher once for all of
// them, starts them as its children, and knows how each one ends.
//
// While R computes the agent answers for it: heartbeats, cancellations, a broken
// connection. It dials again after a break, tells what its daemons hold, and
// delivers what could not be delivered. An answer is kept until the dispatcher
// has acknowledged it or sent the next task.
//
// All of that is decided by AgentCore; here are the sockets, processes and clocks.
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

#include "agent/agent_core.h"
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
  bool brings = false;           // R may have to bring the package along first
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
  int exit_code() const { return core_.exit_code(); }

 private:
  struct Daemon {
    ConnectionPtr stream;  // to its R; null before it has one
    std::uint64_t task_log_begin = 0;
  };

  // Does what the core has decided, in its order.
  void carry_out(Actions actions);
  void carry_out(action::Dial);
  void carry_out(action::Greet greet);
  void carry_out(action::Prove prove);
  void carry_out(action::Tell tell);
  void carry_out(action::HangUp hang_up);
  void carry_out(action::Start start);
  void carry_out(action::Pass pass);
  void carry_out(action::Release release);
  void carry_out(action::Interrupt interrupt) { processes_.interrupt(interrupt.pid); }
  void carry_out(action::Kill kill) { processes_.kill(kill.pid); }
  void carry_out(action::Forget forget) { processes_.forget(forget.pid); }
  void carry_out(action::BeginTaskLog log);
  void carry_out(action::EndTaskLog log);
  void carry_out(action::Warn warn);
  void carry_out(action::Complain complain);
  void carry_out(action::Stop);

  void wait_for_signal();
  void wait_until_next_timer();
  void on_dialled(Result<ConnectionPtr> dialled);
  Result<std::shared_ptr<const TlsDialler>> trust() const;
  Result<Frame> first_hello();
  Frame introduction() const;
  Result<pid_t> start_r(action::Start start);
  std::string log_of(std::uint32_t rank) const;
  void attach(std::uint32_t rank, int descriptor);

  asio::io_context& io_;
  AgentOptions options_;
  AgentCore core_;
  std::string instance_;
  std::uint64_t kept_blocks_limit_;  // bytes of blocks that payloads share
  RProcesses processes_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  asio::steady_timer stop_timer_;
  std::optional<AgentCore::Time> waits_until_;  // by timer_
  std::shared_ptr<const TlsDialler> tls_;
  std::optional<DiallerHandshake> handshake_;
  std::optional<Resumption> resumption_;  // how we may come back after a break
  ConnectionPtr dispatcher_;
  std::vector<Daemon> daemons_;
};

}  // namespace tenkai
