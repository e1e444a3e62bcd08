// The R daemons that the dispatcher starts on its own machine, and starts again.
//
// Knows their processes, and which of them have joined; what they do as daemons is told to
// Peers by their connections. One that ends though nobody has asked for it is started again at
// its slot: Restarts says when, and when no more.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/daemon_call.h"
#include "base/descriptor.h"
#include "base/random_stream.h"
#include "base/result.h"
#include "base/url.h"
#include "process/r_processes.h"
#include "process/restarts.h"
#include "scheduler/cause.h"

namespace tenkai {

namespace asio = boost::asio;

class LocalDaemons {
 public:
  struct Dependencies {
    asio::any_io_executor executor;
    RProcesses& processes;
    std::function<const Url&(std::size_t slot)> url;
    // A line that lets one daemon in at a slot, which is wiped here.
    std::function<Result<std::string>(std::size_t slot)> credential;
    // Whether a daemon is there, and there may be no other.
    std::function<bool(std::size_t slot)> is_taken;
    // A process of ours has ended that was a daemon. Its connection may still hold an answer.
    std::function<void(pid_t, const REnd&)> ended;
    // A process has ended before it was a daemon: `why` is a sentence, `log` its last lines, and
    // `again` whether it would be started again. Returns whether it is to be; then the user is
    // told here, else by the callee.
    std::function<bool(const std::string& why, const std::string& log, bool again)> not_come;
    std::function<void(const std::string&)> tell;  // the user
    // What is_any_to_come() says may have changed.
    std::function<void()> changed;
  };
  struct Settings {
    std::string rscript = "Rscript";
    bool output = false;
    bool respawn = true;
    bool one_url = false;    // any number of daemons at a slot
    bool ephemeral = false;  // each is for one task
  };

  explicit LocalDaemons(Dependencies dependencies)
      : dependencies_(std::move(dependencies)), turn_timer_(dependencies_.executor) {}

  // Before the first start.
  void set_up(Settings settings) { settings_ = std::move(settings); }

  // What one is told.
  struct Told {
    DaemonOptions options;
    std::optional<RandomStream> stream;
  };

  // Starts one for a slot, numbered from 0.
  // So many R processes as would only take the processors from each other wait for their turn.
  // Where one is being started there, that one has to do; where one is to be started later, it
  // is started now, as `told` says. Where one is there, another follows if it is gone within
  // five seconds: what has ended may not have been noticed yet.
  Result<Done> start(std::size_t slot, const Told& told);

  // Whether a daemon, or what is to become one, is a process of ours. True until on_left().
  bool holds(pid_t pid) const { return slot_of(pid).has_value(); }
  // Where it is, or is to be.
  std::optional<std::size_t> slot_of(pid_t pid) const;
  // Whether one is here, is coming, or will be started again.
  bool is_any_to_come() const { return !places_.empty(); }
  // How the last one ended that is not started again.
  const std::string& last_end() const { return last_end_; }

  void on_joined(pid_t pid);
  // It is no daemon any more. `worked`: it was given a task.
  void on_left(pid_t pid, const Cause& cause, bool worked);

  // From now on nothing is started.
  void close();

 private:
  // Where one daemon is, or is to be again.
  struct Place {
    explicit Place(const asio::any_io_executor& executor) : pause(executor) {}

    std::size_t slot = 0;
    Told told;
    std::size_t starts = 0;
    Restarts restarts;
    std::optional<pid_t> pid;
    std::optional<Restarts::Time> joined;
    std::optional<Restarts::Time> asked_again;  // while one was there
    bool waits_for_turn = false;
    asio::steady_timer pause;
  };
  using Places = std::list<std::shared_ptr<Place>>;

  std::string name_of(const Place& place) const;
  Places::iterator find(pid_t pid);
  std::shared_ptr<Place> place_for(std::size_t slot);
  std::size_t starting() const;
  // At once, or when it is its turn.
  Result<Done> start(const std::shared_ptr<Place>& place);
  // Those whose turn it is, with up to so many starting at a time.
  void start_waiting(std::size_t most);
  void watch_turns();
  void not_started(const std::shared_ptr<Place>& place, const std::string& error);
  Result<Done> launch(Place& place);
  Result<Descriptor> credential_pipe(std::size_t slot);
  void on_ended(pid_t pid, const REnd& end);
  void start_again(const std::shared_ptr<Place>& place, const std::string& end, const std::string& log,
                   bool worked);
  void forget(const std::shared_ptr<Place>& place);
  void start_later(const std::shared_ptr<Place>& place, std::chrono::milliseconds pause);

  Dependencies dependencies_;
  Settings settings_;
  Places places_;
  std::deque<std::shared_ptr<Place>> turns_;
  asio::steady_timer turn_timer_;
  std::string last_end_;
  bool closed_ = false;
};

}  // namespace tenkai
