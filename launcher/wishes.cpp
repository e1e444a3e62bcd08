#include "launcher/wishes.h"

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

// Of launchers whose agents start where nobody hands them anything: each finds its own
// part in a file.
bool is_job(const Wishes& wishes) { return wishes.by == "slurm" || wishes.by == "mpi"; }

bool is_daemon_form(const Wishes& wishes) { return wishes.by == "command"; }

// Without a dispatcher's queue any number of daemons has the one URL.
Result<std::vector<std::size_t>> slots_at_one_url(const Wishes& wishes) {
  if (!wishes.slots.empty()) {
    return Error{
        "all daemons of this profile have one URL (dispatcher = FALSE): say how many with --daemons"};
  }
  return std::vector<std::size_t>(wishes.daemons.value_or(std::max<std::size_t>(1, wishes.remotes.size())),
                                  1);
}

Result<std::vector<std::size_t>> named_slots(const Wishes& wishes, const View& view) {
  Result<std::vector<std::size_t>> slots = parse_slots(wishes.slots, view.slots.size());
  if (!slots) return slots;
  for (std::size_t slot : *slots) {
    if (!view.slots[slot - 1].online) continue;
    return Error{"daemon " + std::to_string(slot) + " is online already; free are " +
                 (free_slots(view).empty() ? "none" : list_of(free_slots(view)))};
  }
  return slots;
}

Result<std::vector<std::size_t>> unnamed_slots(const Wishes& wishes, const View& view) {
  std::vector<std::size_t> slots = free_slots(view);
  if (slots.empty()) {
    return Error{"each of the " + std::to_string(view.slots.size()) +
                 " daemons is online or on its way; daemons(n = ) in the R session says how many there are"};
  }
  if (wishes.daemons && *wishes.daemons > slots.size()) {
    return Error{"there is no place for " + counted(*wishes.daemons, "more daemon") + ", only for " +
                 std::to_string(slots.size()) + " (" + list_of(slots) +
                 "); daemons(n = ) in the R session says how many there are"};
  }
  if (wishes.daemons) slots.resize(*wishes.daemons);
  return slots;
}

Result<std::vector<std::size_t>> choose_slots(const Wishes& wishes, const View& view) {
  if (view.policy == "ephemeral") {
    return Error{
        "nothing can be launched for tasks that get a new R each; call daemons(url = ) in the R "
        "session first"};
  }
  if (view.policy == "direct") return slots_at_one_url(wishes);
  return wishes.slots.empty() ? unnamed_slots(wishes, view) : named_slots(wishes, view);
}

std::string url_of(const View& view, std::size_t slot) {
  return view.policy == "direct" ? view.url : view.slots[slot - 1].url;
}

// What the daemon at `slot` evaluates.
std::string call_for(const Wishes& wishes, const View& view, std::size_t slot) {
  std::string end = wishes.limits;
  if (view.autoexit == "0") end += ",autoexit=FALSE";
  if (view.autoexit == "na") end += ",autoexit=NA";
  end += ")";
  if (!is_daemon_form(wishes)) return "tenkai::daemon('fd:3'" + end;
  Result<Url> url = parse_url(url_of(view, slot));
  bool needs_credential = url && is_network(*url);
  return "tenkai::daemon('@URL@'" + std::string(needs_credential ? ",credential='@CREDENTIAL@'" : "") + end;
}

LaunchPlan::Options common_options(const Wishes& wishes) {
  LaunchPlan::Options options = wishes.profile_options;
  bool from_profile = !wishes.profile.empty();
  if (wishes.by == "ssh" && !from_profile) {
    options["timeout"] = {std::to_string(wishes.timeout.value_or(default_timeout))};
    if (wishes.tunnel) options["tunnel"] = {"1"};
  }
  if (wishes.by == "command" && !from_profile) {
    options["program"] = {wishes.program};
    options["args"] = wishes.arguments.empty() ? std::vector<std::string>{"."} : wishes.arguments;
    if (!wishes.quote) options["quote"] = {"0"};
  }
  for (const std::string& option : wishes.options) {
    std::size_t equals = option.find('=');
    options[option.substr(0, equals)].push_back(option.substr(equals + 1));
  }
  return options;
}

Result<Done> check_tunnel(const Wishes& wishes, const View& view, const std::vector<std::size_t>& slots) {
  if (!wishes.tunnel) return Done{};
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
void deal(const Wishes& wishes, const View& view, const std::vector<std::size_t>& slots, LaunchPlan& plan) {
  LaunchPlan::Options options = common_options(wishes);
  std::size_t parts = is_daemon_form(wishes) ? slots.size() : std::max<std::size_t>(1, wishes.remotes.size());
  plan.parts.resize(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    plan.parts[i].options = options;
    if (!wishes.remotes.empty())
      plan.parts[i].options["remote"] = {wishes.remotes[i % wishes.remotes.size()]};
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    LaunchPlan::Part& part = plan.parts[i % parts];
    part.slots.push_back(slots[i] - 1);
    part.calls.push_back(call_for(wishes, view, slots[i]));
  }
}

}  // namespace

void apply(const Deployment& deployment, Wishes& wishes) {
  wishes.profile = deployment.profile;
  wishes.by = deployment.plugin;
  wishes.rscript = deployment.rscript;
  wishes.credential = deployment.credential;
  wishes.chunk = deployment.chunk;
  wishes.most = deployment.most;
  wishes.profile_options = deployment.options;
  wishes.tunnel = deployment.options.count("tunnel") != 0;
  for (const auto& [name, value] : deployment.limits) wishes.limits += "," + name + "=" + value;
  for (const Deployment::Options& one : deployment.each) {
    if (auto remote = one.find("remote"); remote != one.end())
      wishes.remotes.push_back(remote->second.front());
  }
  if (auto program = deployment.options.find("program"); program != deployment.options.end()) {
    wishes.program = program->second.front();
  }
}

Result<Done> check(const Wishes& wishes) {
  if (wishes.by.empty() && !wishes.profile.empty()) {
    return Error{"the daemons of profile '" + wishes.profile +
                 "' are started by the R session itself (launcher: local)"};
  }
  if (wishes.by.empty()) {
    return Error{"say how to launch: --profile NAME, --by ssh, --by command, or another plugin"};
  }
  if (wishes.daemons && !wishes.slots.empty()) return Error{"give --daemons or --slots, not both"};
  if (wishes.by == "ssh" && wishes.remotes.empty()) {
    return Error{"say where to launch: --remote ssh://host, again for each further machine"};
  }
  if (wishes.by == "command" && wishes.program.empty()) {
    return Error{"say what launches a daemon: --program srun --args ., where '.' stands for its command"};
  }
  bool has_place = wishes.arguments.empty() ||
                   std::find(wishes.arguments.begin(), wishes.arguments.end(), ".") != wishes.arguments.end();
  if (!has_place) return Error{"one of the --args must be '.', the place of the daemon's command"};
  if (wishes.by == "command" && !wishes.remotes.empty()) {
    return Error{"--remote is not for --by command: what --args says is where it launches"};
  }
  if (wishes.by != "command" && (!wishes.program.empty() || !wishes.arguments.empty() || !wishes.quote)) {
    return Error{"--program, --args and --no-quote are for --by command, not for --by " + wishes.by};
  }
  if (wishes.by != "ssh" && (wishes.tunnel || wishes.timeout)) {
    return Error{"--tunnel and --timeout are for --by ssh, not for --by " + wishes.by};
  }
  for (const std::string& option : wishes.options) {
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

Result<LaunchPlan> compose(const Wishes& wishes, const View& view) {
  Result<Done> good = check(wishes);
  if (!good) return good.error();
  Result<std::vector<std::size_t>> slots = choose_slots(wishes, view);
  if (!slots) return slots.error();
  if (wishes.most > 0 && slots->size() > wishes.most) {
    return Error{"the site allows " + counted(wishes.most, "daemon") + " for a profile, not " +
                 std::to_string(slots->size()) + " (cap 'daemons' in its file, see 'tenkai profile show " +
                 wishes.profile + "'); say --daemons " + std::to_string(wishes.most)};
  }
  if (wishes.remotes.size() > slots->size()) {
    return Error{"there are " + counted(wishes.remotes.size(), "machine") + " for " +
                 counted(slots->size(), "daemon") + " (" + list_of(*slots) + "); leave some out"};
  }
  good = check_tunnel(wishes, view, *slots);
  if (!good) return good.error();
  LaunchPlan plan;
  plan.plugin = wishes.by;
  plan.rscript = wishes.rscript;
  plan.profile = view.profile;
  plan.dry = wishes.dry;
  if (view.autoexit == "0") plan.at_end = LaunchPlan::AtEnd::stay;
  if (view.autoexit == "na") plan.at_end = LaunchPlan::AtEnd::finish;
  plan.form = is_daemon_form(wishes) ? LaunchPlan::Form::daemon : LaunchPlan::Form::agent;
  bool needs_file = is_job(wishes) || (is_daemon_form(wishes) && !is_ssh_program(wishes.program));
  bool by_stdin = wishes.credential.empty() ? !needs_file : wishes.credential == "stdin";
  plan.delivery = by_stdin ? LaunchPlan::Delivery::stdin_ : LaunchPlan::Delivery::file;
  plan.chunk = wishes.chunk;
  // As of a profile that says nothing of it.
  if (is_job(wishes) && !plan.chunk) plan.chunk = wishes.by == "mpi" ? 1 : 0;
  deal(wishes, view, *slots, plan);
  return plan;
}

Result<View> imagine(const Wishes& wishes, const std::string& url) {
  Result<Url> parsed = parse_url(url);
  if (!parsed) return parsed.error();
  std::size_t count = wishes.daemons.value_or(std::max<std::size_t>(1, wishes.remotes.size()));
  if (!wishes.slots.empty()) {
    Result<std::vector<std::size_t>> slots = parse_slots(wishes.slots, max_launches);
    if (!slots) return slots.error();
    count = *std::max_element(slots->begin(), slots->end());
  }
  Result<std::vector<Url>> urls = expand_urls({*parsed}, count);
  if (!urls) return urls.error();
  View view;
  view.profile = wishes.profile.empty() ? "default" : wishes.profile;
  view.policy = "queue";
  for (const Url& each : *urls) {
    View::Slot slot;
    slot.url = to_string(each);
    view.slots.push_back(std::move(slot));
  }
  return view;
}

}  // namespace tenkai
