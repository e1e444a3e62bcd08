#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/lines.h"
#include "base/random_stream.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/dispatchers.h"
#include "launcher/launch/command_line.h"
#include "launcher/launch/launches.h"
#include "launcher/profile/find.h"
#include "launcher/view/show_view.h"

namespace tenkai {
namespace cli_launch {
namespace {

// The dispatcher itself gives a plugin 10 s.
constexpr std::chrono::seconds answer_limit{20};
constexpr std::chrono::milliseconds pause{250};

struct Arguments {
  CommandLine wanted;
  std::string profile;
  std::string url;
  std::optional<int> pid;
  bool json = false;
  bool no_wait = false;
  std::size_t wait = 60;  // seconds
};

void complain(const std::string& why) { std::fprintf(stderr, "tenkai launch: %s\n", harmless(why).c_str()); }

int fail(const Error& why) {
  complain(why.message);
  return 2;
}

// --- whom to ask ---

// With a profile that one of them has the name of, it is that one.
Result<FoundDispatcher> choose(asio::io_context& io, std::optional<int> pid, const std::string& profile) {
  Result<Survey> seen = survey(io, pid);
  if (!seen) return seen.error();
  for (const std::string& trouble : seen->troubles) complain(trouble);
  // Where tasks get a new R each there is nothing to launch; unless it is named, it is not meant.
  if (!pid)
    std::erase_if(seen->found, [](const FoundDispatcher& each) { return each.view.policy == "ephemeral"; });
  if (seen->found.empty()) {
    return Error{none_found() + "; what would be launched, --dry-run --url URL shows without one"};
  }
  auto is_meant = [&profile](const FoundDispatcher& each) { return each.view.profile == profile; };
  if (!pid && !profile.empty() && std::ranges::count_if(seen->found, is_meant) == 1)
    return std::move(*std::ranges::find_if(seen->found, is_meant));
  if (seen->found.size() == 1) return std::move(seen->found.front());
  std::string list;
  for (const FoundDispatcher& each : seen->found) list += "\n  " + title_of(each.view);
  return Error{
      "there is more than one dispatcher; name the one that is meant by --pid, its own or, where that "
      "is enough, that of its R session:" +
      list};
}

// --- what they answer ---

// A launch, and how many daemons each of its agents has.
struct Answered {
  ShownLaunch shown;
  std::size_t chunk = 0;
};

// Rows: the number of a launch, its command, its daemons (from 1), and how many of them each agent has.
Result<std::vector<Answered>> read_answer(std::string_view text, const std::string& plugin) {
  std::vector<Answered> launches;
  for (std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    std::vector<std::string> fields = read_row(line);
    fields.resize(4);
    auto number = to_number<std::uint64_t>(fields[0]);
    auto chunk = to_number<std::size_t>(fields[3]);
    Answered& answered = launches.emplace_back();
    bool good = number && chunk && *chunk > 0;
    for (std::string_view each : split(fields[2], ',')) {
      auto slot = to_number<std::size_t>(each);
      good = good && slot;
      answered.shown.launch.slots.push_back(slot.value_or(0));
    }
    if (!good) return Error{"the dispatcher said '" + printable(line, 60) + "', which is not understood"};
    answered.shown.launch.number = *number;
    answered.shown.launch.plugin = plugin;
    answered.shown.command = std::move(fields[1]);
    answered.chunk = *chunk;
  }
  return launches;
}

std::vector<ShownLaunch> as_asked(const std::vector<Answered>& launches) {
  std::vector<ShownLaunch> all;
  for (const Answered& each : launches) all.push_back(each.shown);
  return all;
}

// One for each agent: those of a job are launches of their own, with the next numbers.
std::vector<ShownLaunch> by_agent(const std::vector<Answered>& launches) {
  std::vector<ShownLaunch> all;
  for (const auto& [shown, chunk] : launches) {
    const std::vector<std::size_t>& slots = shown.launch.slots;
    for (std::size_t begin = 0; begin < slots.size(); begin += chunk) {
      ShownLaunch one = shown;
      one.launch.number += begin / chunk;
      one.launch.slots.assign(slots.begin() + static_cast<long>(begin),
                              slots.begin() + static_cast<long>(std::min(slots.size(), begin + chunk)));
      all.push_back(std::move(one));
    }
  }
  return all;
}

// Asks the plugin itself, as a dispatcher would that had these URLs.
Result<std::string> render_here(const LaunchArguments& request, const View& view) {
  asio::io_context io(1);
  std::vector<Url> urls;
  for (const View::Slot& slot : view.slots) urls.push_back(*parse_url(slot.url));
  LauncherInterface::Dependencies dependencies;
  dependencies.executor = io.get_executor();
  dependencies.urls = [&urls]() -> const std::vector<Url>& { return urls; };
  dependencies.streams = [](std::size_t, bool) { return std::vector<RandomStream>(); };
  dependencies.changed = [] {};
  Launches launches(dependencies);
  Setup setup;
  setup.profile = view.profile;
  std::vector<std::string> warnings;
  Result<Done> settled = launches.settle(setup, warnings);
  if (!settled) return settled.error();
  Result<std::string> answer = Error{"the launcher plugin has not answered"};
  launches.on_request(to_lines(request), [&](Result<std::string> result) {
    answer = std::move(result);
    launches.close([&io] { io.stop(); });
  });
  io.run();
  return answer;
}

// --- what is printed ---

std::string name_of(const ShownLaunch& shown) {
  return "launch " + std::to_string(shown.launch.number) + ", " + daemons_in_words(shown.launch.slots) +
         ", by " + shown.launch.plugin;
}

void print_commands(const std::vector<ShownLaunch>& launches) {
  for (const ShownLaunch& shown : launches) std::printf("%s\n", harmless(shown.command).c_str());
}

std::string outcome_of(const View::Launch& launch) {
  if (launch.state == "joined" && launch.cause.empty()) return "has joined";
  if (launch.state == "gone") return "has joined, and is gone again";
  std::string message = launch.message.empty() ? "" : "\n  " + harmless(launch.message);
  if (launch.state == "joined") return "has joined in part (" + harmless(launch.cause) + ")" + message;
  if (launch.state == "failed") return "has failed (" + harmless(launch.cause) + ")" + message;
  return "is still " + harmless(launch.state) + message;
}

// --- waiting ---

bool is_over(const ShownLaunch& shown) { return !shown.launch.state.empty() && !is_under_way(shown.launch); }

Result<Done> update(std::vector<ShownLaunch>& launches, Viewer& viewer,
                    const std::function<void(const ShownLaunch&)>& tell) {
  Result<View> view = viewer.look();
  if (!view) return view.error();
  for (ShownLaunch& shown : launches) {
    if (is_over(shown)) continue;
    const View::Launch* now = find_launch(*view, shown.launch.number);
    // A dispatcher forgets the oldest of a thousand that are over.
    if (now == nullptr) shown.launch.state = "gone";
    else shown.launch = *now;
    if (is_over(shown)) tell(shown);
  }
  return Done{};
}

bool all_over(const std::vector<ShownLaunch>& launches) {
  return std::all_of(launches.begin(), launches.end(), is_over);
}

// Until each has joined or failed.
Result<Done> wait_for(std::vector<ShownLaunch>& launches, asio::io_context& io, Viewer& viewer,
                      std::chrono::seconds limit, const std::function<void(const ShownLaunch&)>& tell) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (true) {
    Result<Done> updated = update(launches, viewer, tell);
    if (!updated || all_over(launches) || std::chrono::steady_clock::now() >= until) return updated;
    asio::steady_timer timer(io, pause);
    timer.async_wait([](boost::system::error_code) {});
    io.restart();
    io.run_for(pause);
  }
}

int show_outcome(const std::vector<ShownLaunch>& launches, const Arguments& arguments) {
  bool good = true;
  for (const ShownLaunch& shown : launches) {
    good = good && shown.launch.state == "joined" && shown.launch.cause.empty();
    if (arguments.json || is_over(shown)) continue;
    std::printf("%s %s\n", name_of(shown).c_str(), outcome_of(shown.launch).c_str());
  }
  if (arguments.json) std::fputs(json_of(launches).c_str(), stdout);
  if (!all_over(launches)) {
    complain("not all daemons have come within " + std::to_string(arguments.wait) +
             " s; they may still come, tenkai status shows it");
  }
  return good ? 0 : 1;
}

// --- the command ---

int show_only(const std::vector<ShownLaunch>& launches, bool json) {
  if (json) std::fputs(json_of(launches).c_str(), stdout);
  else print_commands(launches);
  return 0;
}

int run_without_dispatcher(const Arguments& arguments) {
  if (!arguments.wanted.dry)
    return fail({"--url is for --dry-run; daemons are launched for a dispatcher that runs"});
  Result<View> view = imagine(arguments.wanted, arguments.url);
  if (!view) return fail(view.error());
  Result<LaunchArguments> request = compose(arguments.wanted, *view);
  if (!request) return fail(request.error());
  Result<std::string> answer = render_here(*request, *view);
  if (!answer) return fail(answer.error());
  Result<std::vector<Answered>> launches = read_answer(*answer, request->configuration->plugin);
  if (!launches) return fail(launches.error());
  return show_only(as_asked(*launches), arguments.json);
}

// Fills in what a profile says.
Result<Done> use_profile(Arguments& arguments) {
  if (arguments.profile.empty()) return Done{};
  Result<Deployment> deployment = find_deployment(arguments.profile);
  if (!deployment) return deployment.error();
  for (const std::string& warning : deployment->warnings) complain("warning: " + warning);
  arguments.wanted.deployment = *deployment;
  // What would be launched can be seen before there is a dispatcher.
  if (!arguments.wanted.dry || arguments.pid || !arguments.url.empty()) return Done{};
  arguments.url = deployment->url;
  if (!arguments.wanted.daemons && arguments.wanted.slots.empty()) {
    arguments.wanted.daemons = to_number<std::size_t>(deployment->daemons);
    if (deployment->scale) arguments.wanted.daemons = deployment->scale->max;
  }
  return Done{};
}

int run(Arguments& arguments) {
  Result<Done> used = use_profile(arguments);
  if (!used) return fail(used.error());
  Result<Done> good = check(arguments.wanted);
  if (!good) return fail(good.error());
  if (!arguments.url.empty()) return run_without_dispatcher(arguments);
  asio::io_context io(1);
  Result<FoundDispatcher> chosen = choose(io, arguments.pid, arguments.profile);
  if (!chosen) return fail(chosen.error());
  Result<LaunchArguments> request = compose(arguments.wanted, chosen->view);
  if (!request) return fail(request.error());
  Result<std::string> answer = chosen->viewer->ask("launch_remote", to_lines(*request), answer_limit);
  if (!answer) return fail(answer.error());
  Result<std::vector<Answered>> answered = read_answer(*answer, request->configuration->plugin);
  if (!answered) return fail(answered.error());
  if (arguments.wanted.dry) return show_only(as_asked(*answered), arguments.json);
  std::vector<ShownLaunch> launches = by_agent(*answered);
  if (!arguments.json) {
    for (const ShownLaunch& shown : launches) std::printf("%s: asked\n", name_of(shown).c_str());
    std::fflush(stdout);
  }
  if (arguments.no_wait) return arguments.json ? show_only(launches, true) : 0;
  auto tell = [&arguments](const ShownLaunch& shown) {
    if (arguments.json) return;
    std::printf("%s %s\n", name_of(shown).c_str(), outcome_of(shown.launch).c_str());
    std::fflush(stdout);
  };
  Result<Done> waited = wait_for(launches, io, *chosen->viewer, std::chrono::seconds(arguments.wait), tell);
  if (!waited) return fail(waited.error());
  return show_outcome(launches, arguments);
}

// By which launcher, and what that is told.
void add_ways(CLI::App& command, Arguments& arguments) {
  CommandLine& wanted = arguments.wanted;
  CLI::Option* profile = command.add_option("--profile", arguments.profile, "As this compute profile says")
                             ->type_name("PROFILE");
  command.add_option("--by", wanted.by, "The launcher plugin: ssh, command, or another")
      ->type_name("LAUNCHER")
      ->excludes(profile);
  command.add_option("--remote", wanted.remotes, "ssh: a machine, ssh://user@host:port; again for more")
      ->type_name("URL")
      ->allow_extra_args(false);
  command.add_flag("--tunnel", wanted.tunnel, "ssh: the daemons reach this machine through the connection");
  command.add_option("--timeout", wanted.timeout, "ssh: seconds after which connecting is given up [10]")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 86400));
  command.add_option("--program", wanted.program, "command: the first words of the command that launches")
      ->type_name("PROGRAM");
  command
      .add_option("--args", wanted.arguments,
                  "command: a further argument, read by a shell; '.' stands for the daemon's command; again "
                  "for more [.]")
      ->type_name("WORD")
      ->allow_extra_args(false);
  command.add_flag("!--no-quote", wanted.quote,
                   "command: '.' is several words (as srun needs it), not one quoted word (as ssh does)");
  command
      .add_option("--credential", wanted.credential,
                  "How a daemon gets what lets it in: stdin or file [stdin by ssh, else file]")
      ->check(CLI::IsMember({"stdin", "file"}));
  command.add_option("--option", wanted.options, "What the plugin alone understands; again for more")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_option("--rscript", wanted.rscript, "The program that runs R there")
      ->type_name("PROGRAM")
      ->capture_default_str();
}

}  // namespace
}  // namespace cli_launch

void add_launch_command(CLI::App& app, int& exit_code) {
  using namespace cli_launch;
  CLI::App* command = app.add_subcommand("launch", "Launch daemons elsewhere, for a dispatcher that runs");
  auto arguments = std::make_shared<Arguments>();
  CommandLine& wanted = arguments->wanted;
  add_ways(*command, *arguments);
  command
      ->add_option("--daemons", wanted.daemons,
                   "How many, at the first numbers that are free [all that are free]")
      ->type_name("NUMBER")
      ->check(CLI::Range(std::size_t{1}, max_launches));
  command->add_option("--slots", wanted.slots, "The numbers of the daemons, such as 1,2,5-7")
      ->type_name("NUMBERS");
  command->add_option("--pid", arguments->pid, "For that dispatcher, or that of that R session")
      ->type_name("PID")
      ->check(CLI::PositiveNumber);
  command->add_flag("--dry-run", wanted.dry, "Print what would be run, and run nothing");
  command
      ->add_option("--url", arguments->url,
                   "With --dry-run: for a dispatcher at this URL, which need not run")
      ->type_name("URL");
  command->add_option("--wait", arguments->wait, "How long to wait for the daemons")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  command->add_flag("--no-wait", arguments->no_wait, "Do not wait until the daemons have joined or failed");
  command->add_flag("--json", arguments->json, "Print one JSON document");
  command->footer(
      "Daemons that are launched here are told what daemons() in R was given for them, and\n"
      "have the next streams of random numbers of their session.\n\n"
      "Example:\n"
      "  tenkai launch --profile gpu --daemons 2\n"
      "  tenkai launch --dry-run --url wss://login1:5555 --daemons 4 --by ssh --remote ssh://node7\n\n"
      "Exit codes:\n"
      "  0  all daemons have joined\n"
      "  1  not all have, and each launch says why\n"
      "  2  nothing was launched");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace tenkai
