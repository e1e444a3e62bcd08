#include "launcher/launch_arguments.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "base/url.h"
#include "launcher/show_view.h"

namespace tenkai {
namespace {

constexpr std::size_t default_timeout = 10;  // seconds, as of ssh_config()

bool is_ssh_program(const std::string& program) {
  std::string first = program.substr(0, program.find(' '));
  return first.substr(first.rfind('/') + 1) == "ssh";
}

// Agents of these launchers start where nobody hands them anything: each finds its own part in
// a file.
bool is_job(const LaunchArguments& wanted) { return wanted.by == "slurm" || wanted.by == "mpi"; }

bool is_daemon_form(const LaunchArguments& wanted) { return wanted.by == "command"; }

// Without a dispatcher's queue any number of daemons has the one URL.
Result<std::vector<std::size_t>> slots_at_one_url(const LaunchArguments& wanted) {
  if (!wanted.slots.empty()) {
    return Error{
        "all daemons of this profile have one URL (dispatcher = FALSE): say how many with --daemons"};
  }
  return std::vector<std::size_t>(wanted.daemons.value_or(std::max<std::size_t>(1, wanted.remotes.size())),
                                  1);
}

Result<std::vector<std::size_t>> named_slots(const LaunchArguments& wanted, const View& view) {
  Result<std::vector<std::size_t>> slots = parse_slots(wanted.slots, view.slots.size());
  if (!slots) return slots;
  for (std::size_t slot : *slots) {
    if (!view.slots[slot - 1].online) continue;
    return Error{"daemon " + std::to_string(slot) + " is online already; free are " +
                 (free_slots(view).empty() ? "none" : list_of(free_slots(view)))};
  }
  return slots;
}

Result<std::vector<std::size_t>> unnamed_slots(const LaunchArguments& wanted, const View& view) {
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

Result<std::vector<std::size_t>> choose_slots(const LaunchArguments& wanted, const View& view) {
  if (view.policy == "ephemeral") {
    return Error{
        "nothing can be launched for tasks that get a new R each; call daemons(url = ) in the R "
        "session first"};
  }
  if (view.policy == "direct") return slots_at_one_url(wanted);
  return wanted.slots.empty() ? unnamed_slots(wanted, view) : named_slots(wanted, view);
}

std::string url_of(const View& view, std::size_t slot) {
  return view.policy == "direct" ? view.url : view.slots[slot - 1].url;
}

// What the daemon at `slot` evaluates.
std::string call_for(const LaunchArguments& wanted, const View& view, std::size_t slot) {
  std::string end = wanted.limits;
  if (view.autoexit == "0") end += ",autoexit=FALSE";
  if (view.autoexit == "na") end += ",autoexit=NA";
  end += ")";
  if (!is_daemon_form(wanted)) return "tenkai::daemon('fd:3'" + end;
  Result<Url> url = parse_url(url_of(view, slot));
  bool needs_credential = url && is_network(*url);
  return "tenkai::daemon('@URL@'" + std::string(needs_credential ? ",credential='@CREDENTIAL@'" : "") + end;
}

LaunchPlan::Options common_options(const LaunchArguments& wanted) {
  LaunchPlan::Options options = wanted.profile_options;
  bool from_profile = !wanted.profile.empty();
  if (wanted.by == "ssh" && !from_profile) {
    options["timeout"] = {std::to_string(wanted.timeout.value_or(default_timeout))};
    if (wanted.tunnel) options["tunnel"] = {"1"};
  }
  if (wanted.by == "command" && !from_profile) {
    options["program"] = {wanted.program};
    options["args"] = wanted.arguments.empty() ? std::vector<std::string>{"."} : wanted.arguments;
    if (!wanted.quote) options["quote"] = {"0"};
  }
  for (const std::string& option : wanted.options) {
    std::size_t equals = option.find('=');
    options[option.substr(0, equals)].push_back(option.substr(equals + 1));
  }
  return options;
}

Result<Done> check_tunnel(const LaunchArguments& wanted, const View& view,
                          const std::vector<std::size_t>& slots) {
  if (!wanted.tunnel) return Done{};
  for (std::size_t slot : slots) {
    Result<Url> url = parse_url(url_of(view, slot));
    if (url && (url->host == "127.0.0.1" || url->host == "localhost")) continue;
    return Error{
        "a tunnel leads to this machine itself: the URLs must have the host 127.0.0.1 or localhost, "
        "not be " +
        url_of(view, slot) + "; daemons(url = \"wss://127.0.0.1:0\") in the R session makes such"};
  }
  return Done{};
}

// One agent for all daemons of a machine; a command is one daemon. The machines are
// dealt out in turn, so that with one for each daemon they are in their order.
void deal(const LaunchArguments& wanted, const View& view, const std::vector<std::size_t>& slots,
          LaunchPlan& plan) {
  LaunchPlan::Options options = common_options(wanted);
  std::size_t parts = is_daemon_form(wanted) ? slots.size() : std::max<std::size_t>(1, wanted.remotes.size());
  plan.parts.resize(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    plan.parts[i].options = options;
    if (!wanted.remotes.empty())
      plan.parts[i].options["remote"] = {wanted.remotes[i % wanted.remotes.size()]};
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    LaunchPlan::Part& part = plan.parts[i % parts];
    part.slots.push_back(slots[i] - 1);
    part.calls.push_back(call_for(wanted, view, slots[i]));
  }
}

}  // namespace

void apply(const Deployment& deployment, LaunchArguments& wanted) {
  wanted.profile = deployment.profile;
  wanted.by = deployment.plugin;
  wanted.rscript = deployment.rscript;
  wanted.credential = deployment.credential;
  wanted.chunk = deployment.chunk;
  wanted.most = deployment.most;
  wanted.profile_options = deployment.options;
  wanted.tunnel = deployment.options.count("tunnel") != 0;
  for (const auto& [name, value] : deployment.limits) wanted.limits += "," + name + "=" + value;
  for (const Deployment::Options& one : deployment.each) {
    if (auto remote = one.find("remote"); remote != one.end())
      wanted.remotes.push_back(remote->second.front());
  }
  if (auto program = deployment.options.find("program"); program != deployment.options.end()) {
    wanted.program = program->second.front();
  }
}

Result<Done> check(const LaunchArguments& wanted) {
  if (wanted.by.empty() && !wanted.profile.empty()) {
    return Error{"the daemons of profile '" + wanted.profile +
                 "' are started by the R session itself (launcher: local)"};
  }
  if (wanted.by.empty()) {
    return Error{"say how to launch: --profile NAME, --by ssh, --by command, or another plugin"};
  }
  if (wanted.daemons && !wanted.slots.empty()) return Error{"give --daemons or --slots, not both"};
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
  for (const std::string& option : wanted.options) {
    std::size_t equals = option.find('=');
    if (equals != option.npos && equals > 0 && option.find_first_of("%\n\r\t") > equals) continue;
    return Error{"--option needs NAME=VALUE, not '" + printable(option, 60) + "'"};
  }
  return Done{};
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

Result<LaunchPlan> compose(const LaunchArguments& wanted, const View& view) {
  Result<Done> good = check(wanted);
  if (!good) return good.error();
  Result<std::vector<std::size_t>> slots = choose_slots(wanted, view);
  if (!slots) return slots.error();
  if (wanted.most > 0 && slots->size() > wanted.most) {
    return Error{"the site allows " + counted(wanted.most, "daemon") + " for a profile, not " +
                 std::to_string(slots->size()) + " (cap 'daemons' in its file, see 'tenkai profile show " +
                 wanted.profile + "'); say --daemons " + std::to_string(wanted.most)};
  }
  if (wanted.remotes.size() > slots->size()) {
    return Error{"there are " + counted(wanted.remotes.size(), "machine") + " for " +
                 counted(slots->size(), "daemon") + " (" + list_of(*slots) + "); leave some out"};
  }
  good = check_tunnel(wanted, view, *slots);
  if (!good) return good.error();
  LaunchPlan plan;
  plan.plugin = wanted.by;
  plan.rscript = wanted.rscript;
  plan.profile = view.profile;
  plan.dry = wanted.dry;
  if (view.autoexit == "0") plan.at_end = LaunchPlan::AtEnd::stay;
  if (view.autoexit == "na") plan.at_end = LaunchPlan::AtEnd::finish;
  plan.form = is_daemon_form(wanted) ? LaunchPlan::Form::daemon : LaunchPlan::Form::agent;
  bool needs_file = is_job(wanted) || (is_daemon_form(wanted) && !is_ssh_program(wanted.program));
  bool by_stdin = wanted.credential.empty() ? !needs_file : wanted.credential == "stdin";
  plan.delivery = by_stdin ? LaunchPlan::Delivery::stdin_ : LaunchPlan::Delivery::file;
  plan.chunk = wanted.chunk;
  // As of a profile that says nothing of it.
  if (is_job(wanted) && !plan.chunk) plan.chunk = wanted.by == "mpi" ? 1 : 0;
  deal(wanted, view, *slots, plan);
  return plan;
}

Result<View> imagine(const LaunchArguments& wanted, const std::string& url) {
  Result<Url> parsed = parse_url(url);
  if (!parsed) return parsed.error();
  std::size_t count = wanted.daemons.value_or(std::max<std::size_t>(1, wanted.remotes.size()));
  if (!wanted.slots.empty()) {
    Result<std::vector<std::size_t>> slots = parse_slots(wanted.slots, max_launches);
    if (!slots) return slots.error();
    count = *std::max_element(slots->begin(), slots->end());
  }
  Result<std::vector<Url>> urls = expand_urls({*parsed}, count);
  if (!urls) return urls.error();
  View view;
  view.profile = wanted.profile.empty() ? "default" : wanted.profile;
  view.policy = "queue";
  for (const Url& each : *urls) {
    View::Slot slot;
    slot.url = to_string(each);
    view.slots.push_back(std::move(slot));
  }
  return view;
}

}  // namespace tenkai
