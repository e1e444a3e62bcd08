// The launcher as the dispatcher sees it: it launches daemons on other machines. It stands a
// floor above, and implements this; a dispatcher without it launches locally alone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random_stream.h"
#include "base/result.h"
#include "base/url.h"
#include "process/r_processes.h"
#include "scheduler/cause.h"
#include "scheduler/grants.h"
#include "scheduler/load.h"
#include "scheduler/prospects.h"
#include "scheduler/setup.h"

namespace tenkai {

namespace asio = boost::asio;

// A credential that was made for a launch.
struct Issued {
  GrantId grant = 0;
  std::string line;  // a secret, to be wiped; empty for URLs of this machine
};

class LauncherInterface {
 public:
  struct Dependencies {
    asio::any_io_executor executor;
    std::function<const std::vector<Url>&()> urls;  // of the slots
    // For so many agents with daemons at these slots (numbered from 0), each of which
    // may start so often (a batch system may start it again).
    std::function<Result<Issued>(const std::vector<std::size_t>& slots, std::uint32_t agents,
                                 std::uint32_t uses)>
        credential;
    std::function<void(GrantId)> revoke;  // what nobody will use any more
    // Tells the user `text`. `launches`, where it is about launches: their lines of the reply to
    // `status`.
    std::function<void(const std::string& text, const std::string& launches)> tell;
    // What there is to do, where a fresh daemon has so much time for tasks.
    std::function<Load(std::optional<std::chrono::milliseconds> room)> load;
    // Daemons are launched as there is work: Dispatcher::on_scaled().
    std::function<void(std::optional<std::chrono::milliseconds> room)> scaled;
    // Daemons at these slots are not needed; they go when they have done what they do.
    std::function<void(const std::vector<std::size_t>& slots)> dismiss;
    // No daemon of this size is to be had: Dispatcher::on_size_unavailable().
    std::function<void(const Size&, const std::string& why)> unavailable;
    std::function<const Retries&()> retries;  // what changes with another attempt
    // Streams of random numbers for so many daemons; none where there are none. `take`: they are
    // theirs, else only shown.
    std::function<std::vector<RandomStream>(std::size_t count, bool take)> streams;
    // The job of the agent that came with this grant and has these slots is over.
    std::function<void(GrantId, const std::vector<std::size_t>& slots, const Cause&)> over;
    // It has been stopped, and its silence is no end; or it goes on.
    std::function<void(GrantId, const std::vector<std::size_t>& slots, bool is_suspended)> suspended;
    std::function<void()> changed;  // what prospects() says may have changed
  };
  using Reply = std::function<void(Result<std::string>)>;

  virtual ~LauncherInterface() = default;

  // Fills in what a profile or a configuration says of the daemons that a session has asked for,
  // and remembers how they are launched. `warnings`: sentences for the user.
  virtual Result<Done> settle(Setup& setup, std::vector<std::string>& warnings) = 0;
  // The request `launch_remote` of docs/protocol.md.
  virtual void on_request(std::string_view payload, Reply reply) = 0;
  // A daemon has come in, or gone, with a credential that was made for a launch or
  // for something else; or without one (0), at a slot of this machine.
  virtual void on_joined(GrantId grant, std::size_t slot) = 0;
  virtual void on_left(GrantId grant, std::size_t slot, Cause::Kind why) = 0;
  // Its agent will not start it again: how its last R has ended, and how many of them in
  // a row before they were ready; 0: it was ready, and had nothing done.
  virtual void on_given_up(GrantId grant, std::size_t slot, const REnd& end, std::uint64_t starts) = 0;
  // The connection to its agent has broken, or the agent says that its job is being
  // ended: somebody may know why.
  virtual void on_away(GrantId grant, std::size_t slot) = 0;
  // Where it runs, for sentences: "job 123_0 on n2"; empty where there is no job.
  virtual std::string place_of(GrantId grant, std::size_t slot) const = 0;
  // How much larger than usual the job was asked for.
  virtual Size size_of(GrantId grant, std::size_t slot) const = 0;
  // Something has changed in what there is to do. Called for nearly each task.
  virtual void on_load() = 0;
  // Whether launches may still bring daemons; open: there were none, or only ones to be run by
  // hand.
  virtual Prospects prospects() const = 0;
  // How many daemons there are to be now, where that changes with the work.
  virtual std::optional<std::size_t> wanted() const = 0;
  // Lines for the reply to `status`. Whoever asks may wait for daemons that are not there yet, so
  // plugins are asked what holds them up, and the next reply tells it.
  virtual std::string status() = 0;
  // The session has ended: lets go of everything, at the latest after 7 s.
  virtual void close(std::function<void()> done) = 0;
};

using OpenLauncher = std::function<std::unique_ptr<LauncherInterface>(LauncherInterface::Dependencies)>;

}  // namespace tenkai
