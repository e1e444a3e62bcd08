// A launch plan: what is launched, at which slots, by what plugin, each group of daemons by one command.
// It is made here alone, of what a session or a command line asks for (LaunchArguments) and what is known
// of the session's daemons (LaunchSession). Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/autoexit.h"
#include "base/daemon_call.h"
#include "base/random_stream.h"
#include "base/result.h"
#include "base/url.h"
#include "launcher/launch/launch_arguments.h"
#include "launcher/launch/settle.h"
#include "launcher/profile/scale_rules.h"
#include "scheduler/setup.h"

namespace tenkai {

struct LaunchPlan {
  // How the command learns its credential.
  enum class Delivery { stdin_, file } delivery = Delivery::stdin_;
  // What the command is: an agent, or one R that becomes a daemon.
  enum class Form { agent, daemon } form = Form::agent;
  using Options = Deployment::Options;

  struct Part {
    std::vector<std::size_t> slots;     // from 0
    std::vector<RandomStream> streams;  // one for each of them; none: they have none
    Options options;                    // with those of all

    bool operator==(const Part&) const = default;
  };

  std::string plugin;
  std::string rscript = "Rscript";
  std::string profile = "default";
  bool dry = false;
  // Somebody will run what is rendered by hand: all is made for it, nothing is begun.
  bool by_hand = false;
  DaemonOptions daemon;
  Autoexit at_end = Autoexit::now;  // what becomes of the daemons when the session ends
  bool output = false;              // what they write is shown
  // For plugins of batch systems: how many daemons each agent has; 0: to be decided.
  std::optional<std::size_t> chunk;
  std::vector<Part> parts;
  // Daemons that are launched when it turns out that they are needed: by `scale`, or
  // because tasks need larger ones.
  std::optional<Part> spare;
  std::optional<ScaleRules> scale;

  bool operator==(const LaunchPlan&) const = default;
};

inline constexpr std::size_t max_launches = 10'000;  // of one request

// Streams of random numbers for so many daemons; none where there are none.
using Streams = std::function<std::vector<RandomStream>(std::size_t count)>;

// `urls`: of the slots.
Result<LaunchPlan> make_plan(const LaunchArguments& arguments, const LaunchSession& session,
                             const std::vector<Url>& urls, const Streams& streams);

// How many daemons each agent of a part has; none: all of them, as one agent, and
// nobody needs to know which of several it is. Where nothing else is said: one agent
// on each of the `slurm.nodes`; else one daemon each, and more beyond 64 agents, which
// neither a queue nor a dispatcher should have to tell apart.
std::optional<std::size_t> chunk_of(const LaunchPlan& plan, const LaunchPlan::Part& part);

// The command of a part, where its credential is found at `place`: "stdin", "@path".
std::vector<std::string> command_of(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                    const std::vector<std::string>& urls, const std::string& place);
// The same agent started by our program itself, which needs R only for the daemons; the path of
// Rscript there is to follow. Empty where R is needed to start the agent.
std::vector<std::string> agent_command(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                       const std::string& program, const std::string& place);
// The lines of the launch manifest, which an agent reads behind its credential: the memory that
// each daemon may have (`limits.memory`), in bytes, what all are told, and the URL and the stream of
// random numbers of each.
std::string manifest_lines(const LaunchPlan& plan, const LaunchPlan::Part& part,
                           const std::vector<std::string>& urls);

}  // namespace tenkai
