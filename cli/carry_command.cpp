// `tenkai carry`: the workers of another program (mirai, crew, clustermq, Parsl: whatever
// connects back by itself) as jobs of a compute profile. It stays as long as they do, says
// why one did not come, and ends them with the session that they are for.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/carry_door.h"
#include "cli/commands.h"
#include "launcher/launch/carried.h"
#include "launcher/plugin/launch_folder.h"
#include "launcher/plugin/plugin_process.h"
#include "launcher/profile/find.h"
#include "process/children.h"
#include "process/own_path.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

// As the dispatcher waits for a batch system, see launches_begin.cpp.
constexpr std::chrono::seconds start_limit{180};
constexpr std::chrono::seconds render_limit{10};
constexpr std::size_t most_workers = 10'000;  // of one session
// When somebody is told why a job has not begun: then, and again after ten times as long.
constexpr std::chrono::seconds first_question{3};
constexpr std::size_t usual_elements = 64;  // of an array, where the profile leaves it to us
constexpr std::size_t most_lines = 10;      // of a log
constexpr int not_launched = 2;

struct Arguments {
  std::string profile;
  std::vector<std::string> command;
  std::size_t workers = 1;
  pid_t session = 0;
  // Commands that come within so many seconds of each other go together into one launch.
  double together = 0.3;
  bool dry = false;
};

// The last lines of a worker are lines.
void say(const std::string& what) {
  std::string text;
  for (std::string_view line : split(what, '\n'))
    text += (text.empty() ? "tenkai carry: " : "    ") + printable(line, 1000) + "\n";
  std::fputs(text.c_str(), stderr);
}

// What somebody reads who sees several of them.
std::string last_of(const std::string& log) {
  std::vector<std::string_view> lines = split(trim(log), '\n');
  std::string text;
  for (std::size_t i = lines.size() > most_lines ? lines.size() - most_lines : 0; i < lines.size(); ++i)
    text.append(lines[i]).append("\n");
  return text;
}

std::size_t chunk_of(const Deployment& deployment, std::size_t workers) {
  std::size_t chunk = deployment.chunk.value_or(1);
  return chunk > 0 ? chunk : (workers + usual_elements - 1) / usual_elements;
}

class Carry {
 public:
  Carry(const Arguments& arguments, const Deployment& deployment, const std::string& plugin)
      : arguments_(arguments),
        deployment_(deployment),
        plugin_(io_.get_executor(), deployment.plugin, plugin,
                {[this](const JobReport& news) { on_news(news); },
                 [this](const std::string& why) { on_plugin_died(why); }}),
        signals_(io_, SIGINT, SIGTERM),
        collect_(io_),
        children_(io_.get_executor()),
        door_(io_, arguments.session, arguments.profile) {}

  int show();
  int stay();

 private:
  struct Job {
    std::string what;     // "worker 3"
    std::string program;  // of its command
    bool begun = false;
    bool over = false;
    std::string said;  // what was said of it last
    std::unique_ptr<asio::steady_timer> ask;
  };

  LaunchRequest request_of(const CarriedLaunch& launch, std::size_t first);
  void take(std::string command);
  void launch();
  void begin(LaunchRequest request, std::size_t first);
  void on_begun(const LaunchRequest& request, std::size_t first, const PluginAnswer& answer);
  void follow(const std::string& name, std::size_t first, std::size_t last);
  void ask_later(const std::string& name, std::chrono::milliseconds pause);
  void ask(const std::string& name, std::chrono::milliseconds next);
  void on_news(const JobReport& news);
  void on_over(Job& job, const JobReport& news);
  void say_of(Job& job, const std::string& what);
  void on_plugin_died(const std::string& why);
  bool is_done() const;
  void finish(int code);

  const Arguments& arguments_;
  const Deployment& deployment_;
  asio::io_context io_{1};
  PluginProcess plugin_;
  asio::signal_set signals_;
  asio::steady_timer collect_;
  Children children_;
  CarryDoor door_;
  std::string folder_;
  std::string word_ = random_hex(4);   // of this session, for names of jobs
  std::vector<std::string> waiting_;   // commands that no launch has yet
  std::vector<std::string> programs_;  // of the workers that were launched
  std::uint64_t launches_ = 0;
  std::size_t beginning_ = 0;        // launches of which no job is known yet
  std::map<std::string, Job> jobs_;  // by their names
  bool has_failed_ = false;
  bool ending_ = false;
  int code_ = 0;
};

LaunchRequest Carry::request_of(const CarriedLaunch& launch, std::size_t first) {
  LaunchRequest request;
  request.number = launches_ + 1;
  launches_ += launch.elements;
  request.profile = arguments_.profile;
  request.session = word_;
  request.daemons = launch.workers;
  request.command = launch.command;
  request.folder = folder_;
  request.options = deployment_.options;
  if (deployment_.chunk) {
    request.agents = launch.elements;
    request.chunk = launch.chunk;
  }
  if (!deployment_.each.empty()) {
    const Deployment::Options& machine = deployment_.each[first % deployment_.each.size()];
    request.options.insert(machine.begin(), machine.end());
  }
  return request;
}

int Carry::show() {
  std::vector<std::string> commands(arguments_.workers, join(arguments_.command, " "));
  for (const CarriedLaunch& each : carried_launches(commands, chunk_of(deployment_, commands.size()))) {
    PluginCall call;
    call.verb = PluginCall::Verb::render;
    call.request = request_of(each, each.first);
    plugin_.call(std::move(call), render_limit, [this](const PluginAnswer& answer) {
      if (answer.rendered) std::printf("%s\n", answer.rendered->text.c_str());
      if (answer.error) say(answer.error->message);
      finish(answer.error ? not_launched : 0);
    });
    break;  // the others are like it
  }
  io_.run();
  return code_;
}

int Carry::stay() {
  std::string command = join(arguments_.command, " ");
  bool collects = arguments_.session != 0;
  if (collects && !door_.open([this](std::string each) { take(std::move(each)); })) {
    bool handed = true;
    for (std::size_t i = 0; i < arguments_.workers && handed; ++i) handed = door_.hand_in(command);
    if (handed) return 0;
  }
  Result<std::string> made = make_launch_folder();
  if (!made) {
    say(made.error().message);
    return not_launched;
  }
  folder_ = *made;
  signals_.async_wait([this](boost::system::error_code cancelled, int) {
    if (!cancelled) finish(has_failed_ ? 1 : 0);
  });
  pid_t watched = collects ? arguments_.session : ::getppid();
  bool lives = watched <= 1 || children_.watch(watched, [this](pid_t, const Ended&) { finish(has_failed_); });
  for (std::size_t i = 0; lives && i < arguments_.workers; ++i) take(command);
  if (!lives) say("the session " + std::to_string(watched) + " has ended: nothing is launched");
  if (lives) io_.run();
  remove_launch_folder(folder_);
  return lives ? code_ : not_launched;
}

void Carry::take(std::string command) {
  if (programs_.size() + waiting_.size() >= most_workers)
    return say("more than " + std::to_string(most_workers) + " workers for one session: one is left out");
  waiting_.push_back(std::move(command));
  collect_.expires_after(
      std::chrono::milliseconds(arguments_.session == 0 ? 0 : std::llround(1000 * arguments_.together)));
  collect_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) launch();
  });
}

void Carry::launch() {
  std::vector<std::string> commands = std::exchange(waiting_, {});
  Result<Done> allowed = check_cap(deployment_, programs_.size() + commands.size());
  if (!allowed) {
    has_failed_ = true;
    say(allowed.error().message);
    if (is_done()) finish(not_launched);
    return;
  }
  std::size_t before = programs_.size();
  for (const std::string& each : commands) programs_.push_back(program_of(each));
  // What is no batch system's has a command for each.
  std::size_t chunk = chunk_of(deployment_, commands.size());
  for (std::size_t i = 0; !deployment_.chunk && i < commands.size(); ++i)
    begin(request_of(carried_launches({commands[i]}, 1).front(), before + i), before + i);
  if (!deployment_.chunk) return;
  for (const CarriedLaunch& each : carried_launches(commands, chunk))
    begin(request_of(each, before + each.first), before + each.first);
}

void Carry::begin(LaunchRequest request, std::size_t first) {
  PluginCall call;
  call.verb = PluginCall::Verb::start;
  call.key = random_hex(8);
  call.request = request;
  ++beginning_;
  plugin_.call(std::move(call), start_limit, [this, request, first](const PluginAnswer& answer) {
    --beginning_;
    on_begun(request, first, answer);
  });
}

void Carry::on_begun(const LaunchRequest& request, std::size_t first, const PluginAnswer& answer) {
  if (answer.error) {
    has_failed_ = true;
    say(answer.error->message);
    if (is_done()) finish(not_launched);
    return;
  }
  std::size_t chunk = request.chunk == 0 ? request.daemons : request.chunk;
  for (std::size_t i = 0; i < answer.jobs.size(); ++i) {
    std::size_t from = first + i * chunk;
    follow(answer.jobs[i], from, std::min(first + request.daemons, from + chunk) - 1);
    if (answer.poll_after_ms) ask_later(answer.jobs[i], std::chrono::milliseconds(*answer.poll_after_ms));
  }
  // The others wait for the same.
  if (!answer.poll_after_ms && !answer.jobs.empty()) ask_later(answer.jobs.front(), first_question);
}

void Carry::follow(const std::string& name, std::size_t first, std::size_t last) {
  Job& job = jobs_[name];
  job.what = first == last ? "worker " + std::to_string(first + 1)
                           : "workers " + std::to_string(first + 1) + " to " + std::to_string(last + 1);
  job.program = programs_[first];
  job.ask = std::make_unique<asio::steady_timer>(io_);
}

void Carry::ask_later(const std::string& name, std::chrono::milliseconds pause) {
  Job& job = jobs_.at(name);
  job.ask->expires_after(pause);
  job.ask->async_wait([this, name, pause](boost::system::error_code cancelled) {
    const Job& asked = jobs_.at(name);
    if (!cancelled && !asked.over && !asked.begun) ask(name, 10 * pause);
  });
}

void Carry::ask(const std::string& name, std::chrono::milliseconds next) {
  PluginCall call;
  call.verb = PluginCall::Verb::poll;
  call.job = name;
  plugin_.call(std::move(call), start_limit, [this, name, next](const PluginAnswer& answer) {
    if (!answer.report) return;
    std::optional<int> asked = answer.report->poll_after_ms;
    on_news(*answer.report);
    ask_later(name, asked ? std::chrono::milliseconds(*asked) : next);
  });
}

void Carry::on_news(const JobReport& news) {
  auto found = jobs_.find(news.job);
  if (found == jobs_.end() || found->second.over || ending_) return;
  Job& job = found->second;
  if (news.state == JobState::ended || news.state == JobState::failed) return on_over(job, news);
  job.begun = job.begun || news.state == JobState::starting;
  if (news.state == JobState::pending && !news.message.empty()) say_of(job, news.message);
}

// A worker that ends well has nothing to do any more.
void Carry::on_over(Job& job, const JobReport& news) {
  job.over = true;
  job.ask->cancel();
  bool is_well = news.state == JobState::ended && news.exit_code == 0 && news.cause == cause::none;
  if (!is_well) {
    has_failed_ = true;
    Failure why{news.cause, news.message};
    if (why.cause == cause::none)
      why = judge_worker({news.exit_code, news.signal, last_of(news.log), news.where, job.program});
    std::string word(name_of(why.cause));
    say_of(job, (word.empty() ? "" : word + ": ") + why.message);
  }
  if (is_done()) finish(has_failed_ ? 1 : 0);
}

void Carry::say_of(Job& job, const std::string& what) {
  if (job.said == what) return;
  job.said = what;
  say(job.what + ": " + what);
}

void Carry::on_plugin_died(const std::string& why) {
  has_failed_ = true;
  say("the launcher plugin '" + deployment_.plugin + "' has died" + (why.empty() ? "" : ", " + why) +
      "; nobody follows the workers that it has launched");
  for (auto& each : jobs_) each.second.over = true;
  if (is_done()) finish(1);
}

// A session may have others later.
bool Carry::is_done() const {
  if (arguments_.session != 0 || beginning_ > 0 || !waiting_.empty()) return false;
  for (const auto& each : jobs_)
    if (!each.second.over) return false;
  return true;
}

// The plugin ends what it has launched.
void Carry::finish(int code) {
  if (std::exchange(ending_, true)) return;
  code_ = code;
  signals_.cancel();
  collect_.cancel();
  door_.close();
  for (auto& each : jobs_) each.second.ask->cancel();
  plugin_.close([this] { io_.stop(); });
}

// --- the command ---

int carry(const Arguments& arguments) {
  auto refuse = [](const std::string& why) {
    say(why);
    return not_launched;
  };
  if (arguments.command.empty())
    return refuse("say what a worker runs: tenkai carry --profile gpu 'Rscript worker.R'");
  if (join(arguments.command, " ").size() >= max_carried_command)
    return refuse("the command of a worker may have " + std::to_string(max_carried_command) +
                  " bytes; put it into a script");
  Result<Deployment> deployment = find_deployment(arguments.profile);
  if (!deployment) return refuse(deployment.error().message);
  for (const std::string& warning : deployment->warnings) say("warning: " + warning);
  if (deployment->plugin.empty()) {
    return refuse("the profile '" + arguments.profile +
                  "' is for this machine, where workers need nobody to carry them: run their command");
  }
  Result<std::string> plugin = find_plugin(deployment->plugin, own_program(), std::getenv("TENKAI_PLUGINS"));
  if (!plugin) return refuse(plugin.error().message);
  Carry all(arguments, *deployment, *plugin);
  return arguments.dry ? all.show() : all.stay();
}

}  // namespace

void add_carry_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("carry", "Run the workers of another program as jobs of a profile");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--profile", arguments->profile, "The compute profile that says how")->required();
  command->add_option("--workers", arguments->workers, "How many of them run the command [1]")
      ->check(CLI::Range(std::size_t{1}, most_workers));
  command
      ->add_option("--session", arguments->session,
                   "The process that they are for: they end when it does [the process that has started this]")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--together", arguments->together,
                   "Seconds: commands of a session that come within them are one launch [0.3]")
      ->check(CLI::Range(0.0, 60.0));
  command->add_flag("--dry-run", arguments->dry, "Print what would be run, and run nothing");
  // What follows is the worker's own, options too.
  command->prefix_command();
  command->footer(
      "tenkai carry --profile PROFILE [OPTIONS] COMMAND...\n\n"
      "COMMAND is a line of a shell, for any program that connects back by itself.\n"
      "It stays until they have ended, and tells why one did not come. SIGTERM ends them.\n"
      "Exit code 0: all have ended well. 1: one has not. 2: none was launched.");
  command->callback([arguments, command, &exit_code] {
    arguments->command = command->remaining();
    exit_code = carry(*arguments);
  });
}

}  // namespace tenkai
