// The R daemons that the dispatcher starts on its own machine.
//
// Knows their processes, and which of them have joined; what they do as daemons is told to
// Peers by their connections.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/url.h"
#include "process/r_processes.h"
#include "scheduler/cause.h"

namespace tenkai {

class LocalDaemons {
 public:
  struct Surroundings {
    RProcesses& processes;
    std::function<const Url&(std::size_t slot)> url;
    // A line that lets one daemon in at a slot, which is wiped here.
    std::function<Result<std::string>(std::size_t slot)> credential;
    // A process of ours has ended that was a daemon. Its connection may still hold last words.
    std::function<void(pid_t, const REnd&)> ended;
    // One has ended before it was a daemon.
    std::function<void(std::size_t slot, const Cause&, const std::string& log)> not_come;
  };
  struct Settings {
    std::string rscript = "Rscript";
    bool output = false;
  };

  explicit LocalDaemons(Surroundings around) : around_(std::move(around)) {}

  // Before the first start.
  void set_up(Settings settings) { settings_ = std::move(settings); }

  // Starts one for a slot, numbered from 0; `call` is its R expression, with @URL@ for the URL.
  Result<Done> start(std::size_t slot, const std::string& call);

  // Whether a daemon, or what is to become one, is a process of ours. True until on_left().
  bool holds(pid_t pid) const { return running_.count(pid) != 0; }
  void on_joined(pid_t pid);
  // It is no daemon any more.
  void on_left(pid_t pid) { running_.erase(pid); }

 private:
  struct Running {
    std::size_t slot = 0;
    bool joined = false;
  };
  Result<Descriptor> credential_pipe(std::size_t slot);
  void on_ended(pid_t pid, const REnd& end);

  Surroundings around_;
  Settings settings_;
  std::map<pid_t, Running> running_;
};

}  // namespace tenkai
