#include "launcher/launch/command_line.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/lines.h"
#include "base/text.h"
#include "base/url.h"
#include "launcher/launch/launch_plan.h"
#include "launcher/launch/settle.h"
#include "launcher/view/show_view.h"

namespace tenkai {
namespace {

constexpr std::size_t default_timeout = 10;  // seconds, as of ssh_config()

bool is_ssh_program(const std::string& program) {
  std::string first = program.substr(0, program.find(' '));
  return first.substr(first.rfind('/') + 1) == "ssh";
}

std::size_t machines(const CommandLine& wanted) {
  if (wanted.deployment) return wanted.deployment->each.size();
  return wanted.remotes.size();
}

// Without a dispatcher's queue any number of daemons has the one URL.
Result<std::vector<std::size_t>> slots_at_one_url(const CommandLine& wanted) {
  if (!wanted.slots.empty()) {
    return Error{
        "all daemons of this profile have one URL (dispatcher = FALSE, or open = TRUE): say how many with "
        "--daemons"};
  }
  return std::vector<std::size_t>(wanted.daemons.value_or(std::max<std::size_t>(1, machines(wanted))), 1);
}

Result<std::vector<std::size_t>> named_slots(const CommandLine& wanted, const View& view) {
  Result<std::vector<std::size_t>> slots = parse_slots(wanted.slots, view.slots.size());
  if (!slots) return slots;
  for (std::size_t slot : *slots) {
    if (!view.slots[slot - 1].online) continue;
    return Error{"daemon " + std::to_string(slot) + " is online already; free are " +
                 (free_slots(view).empty() ? "none" : list_of(free_slots(view)))};
  }
  return slots;
}

Result<std::vector<std::size_t>> unnamed_slots(const CommandLine& wanted, const View& view) {
  std::vector<std::size_t> slots = free_slots(view);
  if (slots.empty()) {
    return Error{"each of the " + std::to_string(view.slots.size()) +
                 " daemons is online or on its way; daemons(n = ) in the R session says how many there are"};
  }
  if (wanted.daemons && *wanted.daemons > slots.size()) {
    return Error{"there is no place for " + counted(*wanted.daemons, "more daemon") + ", only for " +
                 std::to_string(slots.size()) + " (" + list_of(slots) +
                 "); daemons(n = ) in the R session says how many there are"};
  }
  if (wanted.daemons) slots.resize(*wanted.daemons);
  return slots;
}

Result<std::vector<std::size_t>> choose_slots(const CommandLine& wanted, const View& view) {
  if (view.policy == "ephemeral") {
    return Error{
        "nothing can be launched for tasks that get a new R each; call daemons(url = ) in the R "
        "session first"};
  }
  if (view.policy == "direct" || view.policy == "open") return slots_at_one_url(wanted);
  return wanted.slots.empty() ? unnamed_slots(wanted, view) : named_slots(wanted, view);
}

Result<Done> check_options(const CommandLine& wanted) {
  for (const std::string& option : wanted.options) {
    std::size_t equals = option.find('=');
    if (equals != option.npos && equals > 0 && option.find_first_of("%\n\r\t") > equals) continue;
    return Error{"--option needs NAME=VALUE, not '" + printable(option, 60) + "'"};
  }
  return Done{};
}

// As ssh_config() and remote_config() in R say it.
Deployment deployment_of(const CommandLine& wanted) {
  if (wanted.deployment) return *wanted.deployment;
  Deployment deployment;
  deployment.plugin = wanted.by;
  deployment.rscript = wanted.rscript;
  deployment.one_by_one = wanted.by == "command";
  // Agents of these launchers start where nobody hands them anything: each finds its own part in
  // a file.
  bool is_job = wanted.by == "slurm" || wanted.by == "mpi";
  if (is_job) deployment.chunk = wanted.by == "mpi" ? 1 : 0;
  if (is_job || (deployment.one_by_one && !is_ssh_program(wanted.program))) deployment.credential = "file";
  if (wanted.by == "ssh") {
    deployment.options["timeout"] = {std::to_string(wanted.timeout.value_or(default_timeout))};
    if (wanted.tunnel) deployment.options["tunnel"] = {"1"};
    for (const std::string& remote : wanted.remotes) deployment.each.push_back({{"remote", {remote}}});
  }
  if (wanted.by == "command") {
    deployment.options["program"] = {wanted.program};
    deployment.options["args"] = wanted.arguments.empty() ? std::vector<std::string>{"."} : wanted.arguments;
    if (!wanted.quote) deployment.options["quote"] = {"0"};
  }
  return deployment;
}

// The machines are dealt out in turn, so that with one for each daemon they are in their order.
void deal_machines(std::size_t daemons, Deployment& deployment) {
  std::vector<Deployment::Options> each;
  for (std::size_t i = 0; i < daemons && !deployment.each.empty(); ++i)
    each.push_back(deployment.each[i % deployment.each.size()]);
  deployment.each = std::move(each);
}

}  // namespace

Result<Done> check(const CommandLine& wanted) {
  if (wanted.daemons && !wanted.slots.empty()) return Error{"give --daemons or --slots, not both"};
  if (wanted.deployment) {
    if (!wanted.deployment->plugin.empty()) return check_options(wanted);
    return Error{"the daemons of profile '" + wanted.deployment->profile +
                 "' are started by the R session itself (launcher: local)"};
  }
  if (wanted.by.empty()) {
    return Error{"say how to launch: --profile NAME, --by ssh, --by command, or another plugin"};
  }
  if (wanted.by == "ssh" && wanted.remotes.empty()) {
    return Error{"say where to launch: --remote ssh://host, again for each further machine"};
  }
  if (wanted.by == "command" && wanted.program.empty()) {
    return Error{"say what launches a daemon: --program srun --args ., where '.' stands for its command"};
  }
  bool has_place = wanted.arguments.empty() ||
                   std::find(wanted.arguments.begin(), wanted.arguments.end(), ".") != wanted.arguments.end();
  if (!has_place) return Error{"one of the --args must be '.', the place of the daemon's command"};
  if (wanted.by == "command" && !wanted.remotes.empty()) {
    return Error{"--remote is not for --by command: what --args says is where it launches"};
  }
  if (wanted.by != "command" && (!wanted.program.empty() || !wanted.arguments.empty() || !wanted.quote)) {
    return Error{"--program, --args and --no-quote are for --by command, not for --by " + wanted.by};
  }
  if (wanted.by != "ssh" && (wanted.tunnel || wanted.timeout)) {
    return Error{"--tunnel and --timeout are for --by ssh, not for --by " + wanted.by};
  }
  return check_options(wanted);
}

Result<std::vector<std::size_t>> parse_slots(std::string_view text, std::size_t most) {
  std::vector<std::size_t> slots;
  for (std::string_view piece : split(text, ',')) {
    std::size_t dash = piece.find('-');
    auto first = to_number<std::size_t>(piece.substr(0, dash));
    auto last = dash == piece.npos ? first : to_number<std::size_t>(piece.substr(dash + 1));
    if (!first || !last) {
      return Error{"'" + printable(text, 60) + "' are no numbers of daemons; write them like 1,2,5-7"};
    }
    if (*first < 1 || *last > most || *first > *last) {
      return Error{"there is no daemon " + printable(piece, 60) + ": they have the numbers 1 to " +
                   std::to_string(most)};
    }
    for (std::size_t slot = *first; slot <= *last; ++slot) slots.push_back(slot);
    if (slots.size() > most) return Error{"'" + printable(text, 60) + "' names a daemon twice"};
  }
  std::vector<std::size_t> sorted = slots;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    return Error{"'" + printable(text, 60) + "' names a daemon twice"};
  }
  return slots;
}

Result<LaunchArguments> compose(const CommandLine& wanted, const View& view) {
  Result<Done> good = check(wanted);
  if (!good) return good.error();
  Result<std::vector<std::size_t>> slots = choose_slots(wanted, view);
  if (!slots) return slots.error();
  LaunchArguments arguments;
  arguments.dry = wanted.dry;
  for (std::size_t slot : *slots) arguments.slots.push_back(slot - 1);
  Deployment& deployment = arguments.configuration.emplace(deployment_of(wanted));
  good = check_cap(deployment, slots->size());
  if (!good) return Error{good.error().message + "; say --daemons " + std::to_string(deployment.most)};
  if (deployment.each.size() > slots->size()) {
    return Error{"there are " + counted(deployment.each.size(), "machine") + " for " +
                 counted(slots->size(), "daemon") + " (" + list_of(*slots) + "); leave some out"};
  }
  deal_machines(slots->size(), deployment);
  if (!wanted.credential.empty()) deployment.credential = wanted.credential;
  std::string name;
  std::string value;
  for (const std::string& option : wanted.options)
    if (split_pair(option, name, value)) deployment.options[name].push_back(value);
  return arguments;
}

Result<View> imagine(const CommandLine& wanted, const std::string& url) {
  Result<Url> parsed = parse_url(url);
  if (!parsed) return parsed.error();
  std::size_t count = wanted.daemons.value_or(std::max<std::size_t>(1, machines(wanted)));
  if (!wanted.slots.empty()) {
    Result<std::vector<std::size_t>> slots = parse_slots(wanted.slots, max_launches);
    if (!slots) return slots.error();
    count = *std::max_element(slots->begin(), slots->end());
  }
  Result<std::vector<Url>> urls = expand_urls({*parsed}, count);
  if (!urls) return urls.error();
  View view;
  view.profile = wanted.deployment ? wanted.deployment->profile : "default";
  view.policy = "queue";
  for (const Url& each : *urls) {
    View::Slot slot;
    slot.url = to_string(each);
    view.slots.push_back(std::move(slot));
  }
  return view;
}

}  // namespace tenkai
