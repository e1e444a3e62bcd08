#include "launcher/launch/launch_plan.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/counted.h"
#include "base/lines.h"
#include "base/r_call.h"
#include "base/text.h"
#include "launcher/profile/value.h"

namespace tenkai {
namespace {

constexpr std::size_t max_chunk = 4096;
constexpr std::size_t usual_agents = 64;

// What each daemon may have, as it was typed; null: as much as there is.
const std::string* memory_of(const LaunchPlan::Part& part) {
  auto found = part.options.find("limits.memory");
  return found == part.options.end() || found->second.empty() ? nullptr : &found->second.front();
}

Error too_many_launches() { return Error{"more than 10000 launches at once"}; }

// What a request cannot be asked for with.
Result<Done> check(const LaunchPlan& plan) {
  if (plan.plugin.empty()) return Error{"the configuration of launches names no plugin"};
  if (plan.parts.empty() && !plan.spare) return Error{"there is nothing to launch"};
  if (plan.parts.size() > max_launches) return too_many_launches();
  if (plan.chunk && *plan.chunk > max_chunk) {
    return Error{"an agent has at most " + counted(max_chunk, "daemon") + ", not " +
                 std::to_string(*plan.chunk) +
                 ": array_chunk, or slurm.array-chunk of the profile, must be smaller"};
  }
  if (plan.spare && (!plan.chunk || plan.delivery != LaunchPlan::Delivery::file)) {
    return Error{"only jobs of a batch system can be launched later"};
  }
  if (plan.chunk && plan.form == LaunchPlan::Form::daemon) {
    return Error{"daemons without an agent cannot share one"};
  }
  const LaunchPlan::Part& any = plan.spare ? *plan.spare : plan.parts.front();
  if (memory_of(any) && !parse_memory(*memory_of(any))) {
    return Error{"limits.memory is '" + printable(*memory_of(any), 40) +
                 "', which is no amount of memory; write one, such as 2G"};
  }
  return Done{};
}

// --- which slots, and where ---

using Slots = std::vector<std::size_t>;

Slots from_to(std::size_t begin, std::size_t end) {
  Slots slots;
  for (; begin < end; ++begin) slots.push_back(begin);
  return slots;
}

bool is_of_this_machine(const Url& url) { return url.host == "127.0.0.1" || url.host == "localhost"; }

Result<Done> check_urls(const LaunchPlan& plan, const Deployment& deployment, const Slots& slots,
                        const std::vector<Url>& urls) {
  bool tunnel = deployment.options.count("tunnel") != 0;
  for (std::size_t slot : slots) {
    const Url& url = urls[slot];
    if (tunnel && !is_of_this_machine(url)) {
      return Error{
          "SSH tunnelling requires 'url' hostname to be '127.0.0.1' or 'localhost', because a tunnel leads "
          "to "
          "this machine itself, not " +
          to_string(url) + "; daemons(url = \"wss://127.0.0.1:0\") in the R session makes such"};
    }
    if (plan.form == LaunchPlan::Form::agent && !is_network(url)) {
      return Error{"a daemon on another machine cannot reach '" + to_string(url) +
                   "': give daemons() a network URL, such as that of host_url()"};
    }
  }
  return Done{};
}

// What goes to one machine is one launch; a command is one daemon.
Result<Done> deal(const Deployment& deployment, const Slots& slots, LaunchPlan& plan) {
  std::vector<Deployment::Options> each = deployment.each;
  if (each.empty()) each.emplace_back();
  // Before they are compared with each other.
  if (each.size() > max_launches) return too_many_launches();
  std::size_t count = std::max(slots.size(), each.size());
  auto fits = [count](std::size_t size) { return size == 1 || size == count; };
  if (!fits(slots.size()) || !fits(each.size()))
    return Error{"'args' and/or 'url' must be of length 1 or the same length"};
  std::vector<std::size_t> kinds;  // which of `each` a part is for
  for (std::size_t i = 0; i < count; ++i) {
    const Deployment::Options& machine = each[i % each.size()];
    auto is_same = [&](std::size_t kind) { return each[kind] == machine; };
    auto known = std::ranges::find_if(kinds, is_same);
    if (plan.form == LaunchPlan::Form::daemon) known = kinds.end();
    std::size_t part = static_cast<std::size_t>(known - kinds.begin());
    if (known == kinds.end()) {
      kinds.push_back(i % each.size());
      plan.parts.push_back({{}, {}, machine});
      plan.parts.back().options.insert(deployment.options.begin(), deployment.options.end());
    }
    plan.parts[part].slots.push_back(slots[i % slots.size()]);
  }
  return Done{};
}

// With `scale` all are launched as there is work; else the spare ones.
Result<Done> deal_usual(const LaunchSession& session, std::size_t slots, LaunchPlan& plan) {
  std::size_t usual = slots - std::min(slots, session.spare);
  if (!session.scale) {
    Result<Done> dealt = deal(*session.deployment, from_to(0, usual), plan);
    if (!dealt) return dealt;
  }
  if (session.spare == 0) return Done{};
  plan.spare = LaunchPlan::Part{from_to(session.scale ? 0 : usual, slots), {}, session.deployment->options};
  plan.scale = session.scale;
  return Done{};
}

void add_streams(LaunchPlan& plan, const Streams& streams) {
  std::vector<LaunchPlan::Part*> parts;
  for (LaunchPlan::Part& part : plan.parts) parts.push_back(&part);
  if (plan.spare) parts.push_back(&*plan.spare);
  std::size_t count = 0;
  for (const LaunchPlan::Part* part : parts) count += part->slots.size();
  std::vector<RandomStream> all = streams(count);
  if (all.size() != count) return;
  auto next = all.begin();
  for (LaunchPlan::Part* part : parts) {
    auto end = next + static_cast<std::ptrdiff_t>(part->slots.size());
    part->streams.assign(next, end);
    next = end;
  }
}

// --- what is told to daemons and agents ---

// Arguments of this launch come first, then those of its launcher, then those of daemons().
void tell_daemons(const LaunchArguments& arguments, const LaunchSession& session,
                  const Deployment& deployment, LaunchPlan& plan) {
  plan.daemon = arguments.daemon;
  for (const auto& limit : deployment.limits)
    if (session.daemon.find(limit.first) == nullptr) plan.daemon.add_missing({limit});
  plan.daemon.add_missing(session.daemon.arguments);
  // Where there is a log for it, what daemons write is wanted.
  if (deployment.options.count("slurm.logs") != 0) plan.daemon.add_missing({{"output", "TRUE"}});
  plan.at_end = plan.daemon.autoexit();
  plan.output = plan.daemon.is_true("output");
}

std::size_t daemons_of_agent(const LaunchPlan& plan, const LaunchPlan::Part& part) {
  return chunk_of(plan, part).value_or(part.slots.size());
}

}  // namespace

Result<LaunchPlan> make_plan(const LaunchArguments& arguments, const LaunchSession& session,
                             const std::vector<Url>& urls, const Streams& streams) {
  const std::optional<Deployment>& said = arguments.usual ? session.deployment : arguments.configuration;
  if (!said) return Error{"nothing says how to launch"};
  const Deployment& deployment = *said;
  LaunchPlan plan;
  plan.plugin = deployment.plugin;
  plan.rscript = deployment.rscript;
  plan.profile = session.profile;
  plan.dry = arguments.dry;
  plan.by_hand = arguments.by_hand;
  plan.chunk = deployment.chunk;
  plan.form = deployment.one_by_one ? LaunchPlan::Form::daemon : LaunchPlan::Form::agent;
  plan.delivery = deployment.credential == "file" ? LaunchPlan::Delivery::file : LaunchPlan::Delivery::stdin_;
  tell_daemons(arguments, session, deployment, plan);
  Slots slots = arguments.usual ? from_to(0, urls.size()) : arguments.slots;
  Result<Done> good = check_cap(deployment, slots.size() - (arguments.usual ? session.spare : 0));
  if (good) good = check_urls(plan, deployment, slots, urls);
  if (good) good = arguments.usual ? deal_usual(session, urls.size(), plan) : deal(deployment, slots, plan);
  if (good) good = check(plan);
  if (!good) return good.error();
  add_streams(plan, streams);
  return plan;
}

std::optional<std::size_t> chunk_of(const LaunchPlan& plan, const LaunchPlan::Part& part) {
  if (!plan.chunk) return std::nullopt;
  if (*plan.chunk > 0) return std::min(*plan.chunk, part.slots.size());
  auto nodes = part.options.find("slurm.nodes");
  std::optional<std::size_t> agents;
  if (nodes != part.options.end() && !nodes->second.empty())
    agents = to_number<std::size_t>(nodes->second.front());
  std::size_t most = std::max<std::size_t>(1, agents.value_or(usual_agents));
  return (part.slots.size() + most - 1) / most;
}

std::vector<std::string> command_of(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                    const std::vector<std::string>& urls, const std::string& place) {
  if (plan.form == LaunchPlan::Form::daemon) {
    std::optional<RandomStream> stream;
    if (!part.streams.empty()) stream = part.streams.front();
    Result<Url> url = parse_url(urls.front());
    bool needs_credential = url && is_network(*url);
    return {plan.rscript, "-e",
            daemon_call(urls.front(), needs_credential ? place : "", plan.daemon, stream)};
  }
  std::vector<RArgument> call{{"", r_text(urls.front())},
                              {"daemons", std::to_string(daemons_of_agent(plan, part))},
                              {"credential", r_text(place)}};
  if (!plan.daemon.tls.empty()) {
    std::vector<std::string> texts;
    for (const std::string& each : plan.daemon.tls) texts.push_back(r_text(each));
    call.push_back({"tls", r_vector(texts)});
  }
  if (plan.at_end == Autoexit::finish) call.push_back({"autoexit", "NA"});
  if (plan.at_end == Autoexit::stay) call.push_back({"autoexit", "FALSE"});
  if (plan.output) call.push_back({"output", "TRUE"});
  return {plan.rscript, "-e", r_call("tenkai::agent", call)};
}

std::vector<std::string> agent_command(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                       const std::string& program, const std::string& place) {
  if (plan.form == LaunchPlan::Form::daemon || !plan.daemon.tls.empty()) return {};
  std::vector<std::string> words{program,
                                 "agent",
                                 "--manifest",
                                 "--credential",
                                 place,
                                 "--daemons",
                                 std::to_string(daemons_of_agent(plan, part)),
                                 "--autoexit",
                                 std::string(to_word(plan.at_end))};
  if (plan.output) words.emplace_back("--output");
  words.emplace_back("--rscript");
  return words;
}

std::string manifest_lines(const LaunchPlan& plan, const LaunchPlan::Part& part,
                           const std::vector<std::string>& urls) {
  std::string lines;
  auto bytes = memory_of(part) ? parse_memory(*memory_of(part)) : std::nullopt;
  if (bytes) lines += line_of("memory", std::to_string(*bytes));
  lines += to_lines(DaemonOptions{plan.daemon.arguments, {}});
  for (std::size_t i = 0; i < part.slots.size(); ++i) {
    lines += line_of("url", urls[std::min(i, urls.size() - 1)]);
    if (!part.streams.empty()) lines += line_of("stream", to_text(part.streams[i]));
  }
  return lines + "end\n";
}

}  // namespace tenkai
