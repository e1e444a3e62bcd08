// The dispatcher as a process: sockets, children and clocks around Dispatcher.
//
// One session is connected from the start; the service ends with it. It reads
// what the session wants, keeps the doors for daemons, starts the local ones, and
// carries out what Dispatcher decides.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/daemon_call.h"
#include "base/random_stream.h"
#include "process/r_processes.h"
#include "scheduler/dispatcher.h"
#include "scheduler/doors.h"
#include "scheduler/keys.h"
#include "scheduler/launcher_interface.h"
#include "scheduler/local_daemons.h"
#include "scheduler/peers.h"
#include "scheduler/setup.h"
#include "scheduler/viewers.h"
#include "wire/connection.h"
#include "wire/greeting.h"

namespace tenkai {

class Service {
 public:
  // `io` must outlive the service; run it to run the service, it is stopped when
  // the session has ended and everything of ours is gone.
  // `open_launcher` makes the part that launches daemons elsewhere; none: nobody does.
  Service(asio::io_context& io, ConnectionPtr session, OpenLauncher open_launcher = {});

  void start();
  // Why it has ended before the session did; else empty.
  const std::string& trouble() const { return trouble_; }

 private:
  // the session
  void on_session_frame(Frame&& frame);
  void on_hello(const Frame& frame);
  void on_setup(const Frame& frame);
  Result<Done> settle(Setup& setup, std::vector<std::string>& warnings);
  Result<Done> set_up(Setup setup);
  std::vector<RandomStream> next_streams(std::size_t count, bool take);
  void on_request(const Frame& frame);
  void reply_status(const Frame& request);
  void reply_info(const Frame& request);
  void reply_saisei(const Frame& request);
  void reply_launch(const Frame& request);
  void reply_stream(const Frame& request);
  void reply_credential(const Frame& request);
  void reply_with_file(std::uint64_t request, const std::string& file, std::string_view line);
  void reply_launch_remote(const Frame& request);
  std::string status() const;
  std::string counts() const;
  LauncherInterface::Dependencies dependencies_of_launcher();
  void begin_await(const Frame& request);
  void check_await(bool time_is_up);
  void start_await_timer();
  void reply(std::uint64_t request, std::string_view payload);
  void reply_error(std::uint64_t request, Code code, std::string_view message);
  void tell(const std::string& text, const std::string& launches = {});

  Result<std::string> credential_for(std::size_t slot);

  // viewers
  Viewers::Callbacks for_viewers();
  std::string view() const;

  // local daemons
  LocalDaemons::Dependencies dependencies_of_local();
  Result<Done> start_local(std::size_t slot, DaemonOptions options);
  bool on_not_come(const std::string& why, const std::string& log, bool again);

  // what may come where no daemon is here
  Prospects prospects() const;
  void look_ahead();

  // what the dispatcher decided
  void apply(Sends sends) { peers_->obey(std::move(sends)); }
  void answer(Resolve& resolve);
  void pass_on(Frame&& said);
  void start_for_task();

  // the end
  void on_session_ended(bool stop);
  void wait_for_processes(Time until);

  asio::io_context& io_;
  ConnectionPtr session_;
  // Random: a daemon that stays when its session has gone may bring the answer to a
  // task of that session, which had the same number as one of ours.
  const SessionId session_id_;
  RProcesses processes_;
  Keys keys_;
  Strangers strangers_;
  Greeting greeting_;
  Doors doors_;
  Setup setup_;
  LocalDaemons local_;
  std::optional<Dispatcher> dispatcher_;
  std::optional<Peers> peers_;
  std::optional<Prospects> prospects_;  // as the dispatcher knows them
  std::unique_ptr<LauncherInterface> launcher_;
  Viewers viewers_;
  const Time begun_;
  std::uint64_t resolved_ = 0;  // tasks, so far

  struct Await {
    std::uint64_t request;
    asio::steady_timer timer;
    std::chrono::milliseconds limit;  // without another daemon
    std::size_t come = 0;             // the most so far
    std::size_t wanted = 0;           // so many that have joined, whether they are here still or not
  };
  std::size_t come_of(const Await& await) const;
  std::unique_ptr<Await> await_;
  std::optional<std::string> failed_start_;  // the cause, until an await has taken it
  bool awaited_ = false;
  std::size_t notes_ = 0;  // since the session has said something
  std::string trouble_;
  bool greeted_ = false;
  bool ending_ = false;
  bool launcher_is_closed_ = false;
  asio::steady_timer end_timer_;
};

}  // namespace tenkai
