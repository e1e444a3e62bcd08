// A launch plan is what a session asks for with the request `launch_remote`: daemons at some slots,
// by a plugin, each group of them by one command.
//
// Lines `key=value`, the values escaped (escape_line() of base/text.h):
//
//   plugin=ssh            credential=stdin | file      form=agent | daemon
//   rscript=Rscript       profile=default              dry=1   by_hand=1
//   autoexit=1 | na | 0   output=1                     of the daemons, as daemon() has them
//   tls=/path             how an agent knows the dispatcher, as agent() has it; again for further texts
//   chunk=4               each launch is many agents with so many daemons; 0: as many as is sensible
//   option=NAME=VALUE     of all launches; again for further values
//   launch=               what follows is one launch
//   spare=                what follows is for launches that are decided on later, in whole agents
//   scale=1,50,1,300000,1000   how: ScaleRules min, max, backlog, idle and pace (ms)
//   slot=3                of a daemon (from 1)
//   call=tenkai::daemon(…)   what its R evaluates; in form=daemon @URL@ and @CREDENTIAL@ stand for themselves
//   option=NAME=VALUE     of this launch
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "launcher/messages.h"
#include "launcher/scale.h"

namespace tenkai {

struct LaunchPlan {
  // How the command learns its credential.
  enum class Delivery { stdin_, file } delivery = Delivery::stdin_;
  // What the command is: an agent, or one R that becomes a daemon.
  enum class Form { agent, daemon } form = Form::agent;
  using Options = std::map<std::string, std::vector<std::string>>;

  struct Part {
    std::vector<std::size_t> slots;  // from 0
    std::vector<std::string> calls;  // one for each of them
    Options options;                 // with those of all

    bool operator==(const Part&) const = default;
  };

  std::string plugin;
  std::string rscript = "Rscript";
  std::string profile = "default";
  bool dry = false;
  // Somebody will run what is rendered by hand: all is made for it, nothing is begun.
  bool by_hand = false;
  // What becomes of the daemons when the session ends: they end, finish what they run, or
  // stay (autoexit = TRUE, NA, FALSE).
  enum class AtEnd { now, finish, stay } at_end = AtEnd::now;
  bool output = false;           // what they write is shown
  std::vector<std::string> tls;  // a path, or PEM texts
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

// `slots` is how many there are.
Result<LaunchPlan> parse_launch_plan(std::string_view text, std::size_t slots);
// And back: parse_launch_plan(to_text(plan)) is `plan` again.
std::string to_text(const LaunchPlan& plan);

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
// each daemon may have (`limits.memory`), in bytes, and the URL and the call of each.
std::string manifest_lines(const LaunchPlan::Part& part, const std::vector<std::string>& urls);

}  // namespace tenkai
