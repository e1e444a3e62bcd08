#include "cli/carry.h"

#include <signal.h>
#include <unistd.h>

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

#include "base/counted.h"
#include "base/random_hex.h"
#include "base/text.h"
#include "cli/carry_door.h"
#include "cli/carry_plan.h"
#include "cli/carry_words.h"
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
constexpr std::chrono::seconds cancel_limit{10};
constexpr int most_waits = 10;                         // for more commands, in a row
constexpr std::chrono::milliseconds least_pause{100};  // between two questions
// When somebody is told why a job has not begun: then, and again after ten times as long.
constexpr std::chrono::seconds first_question{3};
constexpr int not_launched = 2;

bool is_ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

class Carry {
 public:
  Carry(const CarryArguments& arguments, const Deployment& deployment, const std::vector<std::string>& plugin)
      : arguments_(arguments),
        deployment_(deployment),
        plugin_(io_.get_executor(), deployment.plugin, plugin,
                {[this](const JobReport& news) { on_news(news); },
                 [this](const std::string& why) { on_plugin_died(why); }}),
        signals_(io_, SIGTERM),
        collect_(io_),
        children_(io_.get_executor()),
        door_(io_, arguments.session, to_lines(deployment)) {
    // In the background of a shell, or of R, Ctrl-C is for who waits there; nohup is for all.
    for (int each : {SIGINT, SIGHUP})
      if (!is_ignored(each)) signals_.add(each);
  }

  int show();
  int stay();

 private:
  // What a plugin was asked for in one call.
  struct Launch {
    LaunchRequest request;
    std::size_t first = 0;              // of its workers
    std::vector<std::string> programs;  // of their commands
  };
  using LaunchPtr = std::shared_ptr<Launch>;
  struct Job {
    LaunchPtr launch;
    std::size_t workers = 0;
    std::string what;     // "worker 3"
    std::string program;  // of its command
    bool begun = false;
    bool is_asked = false;  // again and again: its plugin cannot tell by itself
    std::string said;       // what was said of it last
    std::unique_ptr<asio::steady_timer> ask;
  };

  LaunchRequest request_for(const CarriedLaunch& launch, std::size_t first);
  std::size_t workers() const;
  std::size_t hand_in(const std::string& command);
  void take(std::string command);
  void launch();
  void begin(const LaunchPtr& launch);
  void on_begun(const LaunchPtr& launch, const PluginAnswer& answer);
  void follow(const LaunchPtr& launch, const std::string& name, std::size_t from, std::size_t to);
  void ask_later(const std::string& name, std::chrono::milliseconds pause);
  void ask(const std::string& name, std::chrono::milliseconds next);
  void on_news(const JobReport& news);
  void on_over(Job job, const JobReport& news);
  void say_of(Job& job, const std::string& what);
  void on_plugin_died(const std::string& why_not);
  void take_up_again(const LaunchPtr& launch, std::vector<std::string> jobs);
  bool is_done() const;
  void finish(int code);

  const CarryArguments& arguments_;
  const Deployment& deployment_;
  asio::io_context io_{1};
  PluginProcess plugin_;
  asio::signal_set signals_;
  asio::steady_timer collect_;
  Children children_;
  CarryDoor door_;
  std::string folder_;
  std::string word_ = random_hex(4);  // of this session, for names of jobs
  std::vector<std::string> waiting_;  // commands that no launch has yet
  std::chrono::steady_clock::time_point waiting_until_;
  std::size_t launched_ = 0;  // workers so far
  std::uint64_t launches_ = 0;
  std::size_t beginning_ = 0;        // launches of which no job is known yet,
  std::size_t unborn_ = 0;           // and their workers
  std::map<std::string, Job> jobs_;  // that are not over, by their names
  bool has_failed_ = false;
  bool ending_ = false;
  int code_ = 0;
};

LaunchRequest Carry::request_for(const CarriedLaunch& launch, std::size_t first) {
  LaunchRequest request = request_of(deployment_, launch, first);
  request.number = launches_ + 1;
  launches_ += launch.elements;
  request.profile = arguments_.profile;
  request.session = word_;
  request.folder = folder_;
  return request;
}

// Those that are not over.
std::size_t Carry::workers() const {
  std::size_t count = waiting_.size() + unborn_;
  for (const auto& [name, job] : jobs_) count += job.workers;
  return count;
}

int Carry::show() {
  std::vector<std::string> commands(arguments_.workers, join(arguments_.command, " "));
  for (const CarriedLaunch& each : launches_of(deployment_, commands)) {
    PluginCall call;
    call.verb = PluginCall::Verb::render;
    call.request = request_for(each, each.first);
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
  std::size_t left = collects ? hand_in(command) : arguments_.workers;
  if (left == 0) return 0;
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
  for (std::size_t i = 0; lives && i < left; ++i) take(command);
  if (!lives) say("the session " + std::to_string(watched) + " has ended: nothing is launched");
  if (lives) io_.run();
  remove_launch_folder(folder_);
  return lives ? code_ : not_launched;
}

// How many are left for this one to launch.
std::size_t Carry::hand_in(const std::string& command) {
  auto opens = [this] { return door_.open([this](std::string each) { take(std::move(each)); }); };
  std::size_t left = arguments_.workers;
  if (opens()) return left;
  while (left > 0 && door_.hand_in(command)) --left;
  // Whoever had it may have ended meanwhile; else this one launches its own.
  if (left > 0) opens();
  return left;
}

void Carry::take(std::string command) {
  if (ending_) return;
  if (workers() >= most_carried_workers) {
    has_failed_ = true;
    return say("more than " + std::to_string(most_carried_workers) +
               " workers for one session: one is left out");
  }
  std::chrono::milliseconds pause(arguments_.session == 0 ? 0 : std::llround(1000 * arguments_.together));
  auto now = std::chrono::steady_clock::now();
  if (waiting_.empty()) waiting_until_ = now + most_waits * pause;
  waiting_.push_back(std::move(command));
  collect_.expires_at(std::min(now + pause, waiting_until_));
  collect_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) launch();
  });
}

void Carry::launch() {
  std::vector<std::string> commands = std::exchange(waiting_, {});
  Result<Done> allowed = check_cap(deployment_, workers() + commands.size());
  if (!allowed) {
    has_failed_ = true;
    say(allowed.error().message);
    if (is_done()) finish(not_launched);
    return;
  }
  std::size_t before = std::exchange(launched_, launched_ + commands.size());
  for (const CarriedLaunch& each : launches_of(deployment_, commands)) {
    auto launch = std::make_shared<Launch>();
    launch->first = before + each.first;
    launch->request = request_for(each, launch->first);
    for (std::size_t i = 0; i < each.workers; ++i)
      launch->programs.push_back(program_of(commands[each.first + i]));
    begin(launch);
  }
}

void Carry::begin(const LaunchPtr& launch) {
  PluginCall call;
  call.verb = PluginCall::Verb::start;
  call.key = random_hex(8);
  call.request = launch->request;
  ++beginning_;
  unborn_ += launch->request.daemons;
  plugin_.call(std::move(call), start_limit, [this, launch](const PluginAnswer& answer) {
    --beginning_;
    unborn_ -= launch->request.daemons;
    on_begun(launch, answer);
  });
}

void Carry::on_begun(const LaunchPtr& launch, const PluginAnswer& answer) {
  if (ending_) return;
  if (answer.error) {
    has_failed_ = true;
    say(answer.error->message);
    if (is_done()) finish(not_launched);
    return;
  }
  std::size_t chunk = launch->request.chunk == 0 ? launch->request.daemons : launch->request.chunk;
  std::size_t from = 0;
  for (std::size_t i = 0; i < answer.jobs.size() && from < launch->request.daemons; ++i) {
    std::size_t to = std::min(launch->request.daemons, from + chunk);
    follow(launch, answer.jobs[i], std::exchange(from, to), to);
    jobs_[answer.jobs[i]].is_asked = answer.poll_after_ms.has_value();
    if (answer.poll_after_ms) ask_later(answer.jobs[i], std::chrono::milliseconds(*answer.poll_after_ms));
  }
  // The others wait for the same.
  if (!answer.poll_after_ms && !answer.jobs.empty()) ask_later(answer.jobs.front(), first_question);
}

void Carry::follow(const LaunchPtr& launch, const std::string& name, std::size_t from, std::size_t to) {
  Job& job = jobs_[name];
  job.launch = launch;
  job.workers = to - from;
  std::string first = std::to_string(launch->first + from + 1);
  job.what =
      to - from == 1 ? "worker " + first : "workers " + first + " to " + std::to_string(launch->first + to);
  job.program = launch->programs[from];
  job.ask = std::make_unique<asio::steady_timer>(io_);
}

void Carry::ask_later(const std::string& name, std::chrono::milliseconds pause) {
  auto found = jobs_.find(name);
  if (found == jobs_.end() || ending_) return;
  pause = std::max(pause, least_pause);
  found->second.ask->expires_after(pause);
  found->second.ask->async_wait([this, name, pause](boost::system::error_code cancelled) {
    if (cancelled) return;
    auto asked = jobs_.find(name);
    bool is_wanted = asked != jobs_.end() && (asked->second.is_asked || !asked->second.begun);
    if (is_wanted) ask(name, asked->second.is_asked ? pause : 10 * pause);
  });
}

void Carry::ask(const std::string& name, std::chrono::milliseconds next) {
  PluginCall call;
  call.verb = PluginCall::Verb::poll;
  call.job = name;
  plugin_.call(std::move(call), start_limit, [this, name, next](const PluginAnswer& answer) {
    std::optional<int> asked = answer.report ? answer.report->poll_after_ms : std::nullopt;
    if (answer.report) on_news(*answer.report);
    ask_later(name, asked ? std::chrono::milliseconds(*asked) : next);
  });
}

void Carry::on_news(const JobReport& news) {
  auto found = jobs_.find(news.job);
  if (found == jobs_.end() || ending_) return;
  Job& job = found->second;
  if (news.state == JobState::ended || news.state == JobState::failed)
    return on_over(std::move(jobs_.extract(found).mapped()), news);
  job.begun = job.begun || news.state == JobState::starting;
  if (news.state == JobState::pending && !news.message.empty()) say_of(job, news.message);
}

// A worker that ends well has nothing to do any more.
void Carry::on_over(Job job, const JobReport& news) {
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

// Jobs of a batch system live on without it, and the next one ends them with the session.
void Carry::on_plugin_died(const std::string& why_not) {
  if (ending_) return;
  if (deployment_.chunk && why_not.empty()) {
    std::map<LaunchPtr, std::vector<std::string>> launches;
    for (const auto& [name, job] : jobs_) launches[job.launch].push_back(name);
    for (const auto& [launch, jobs] : launches) take_up_again(launch, jobs);
    return;
  }
  has_failed_ = true;
  say("the launcher plugin '" + deployment_.plugin + "' has died" + (why_not.empty() ? "" : ", " + why_not) +
      "; nobody follows the workers that it has launched");
  jobs_.clear();
  if (is_done()) finish(1);
}

void Carry::take_up_again(const LaunchPtr& launch, std::vector<std::string> jobs) {
  PluginCall call;
  call.verb = PluginCall::Verb::start;
  call.request = launch->request;
  call.request.running = true;
  call.request.jobs = jobs;
  plugin_.call(std::move(call), start_limit, [this, jobs = std::move(jobs)](const PluginAnswer& answer) {
    if (!answer.error || ending_) return;
    has_failed_ = true;
    say("nobody follows " + counted(jobs.size(), "job") + ": " + answer.error->message);
    for (const std::string& each : jobs) jobs_.erase(each);
    if (is_done()) finish(1);
  });
}

// A session may have others later.
bool Carry::is_done() const {
  return arguments_.session == 0 && beginning_ == 0 && waiting_.empty() && jobs_.empty();
}

// A batch system's plugin ends what it has launched. Others wait for it to end by itself, as
// tenkai's own daemons do.
void Carry::finish(int code) {
  if (std::exchange(ending_, true)) return;
  code_ = code;
  signals_.cancel();
  collect_.cancel();
  door_.close();
  for (const auto& [name, job] : jobs_) {
    job.ask->cancel();
    if (deployment_.chunk) continue;
    PluginCall call;
    call.verb = PluginCall::Verb::cancel;
    call.job = name;
    plugin_.call(std::move(call), cancel_limit, [](const PluginAnswer&) {});
  }
  plugin_.close([this] { io_.stop(); });
}

}  // namespace

int carry(const CarryArguments& arguments) {
  hold_standard_descriptors();
  auto refuse = [](const std::string& why) {
    say(why);
    return not_launched;
  };
  if (trim(join(arguments.command, " ")).empty())
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
  Result<std::vector<std::string>> plugin =
      find_plugin(deployment->plugin, own_program(), std::getenv("TENKAI_PLUGINS"));
  if (!plugin) return refuse(plugin.error().message);
  Carry all(arguments, *deployment, *plugin);
  return arguments.dry ? all.show() : all.stay();
}

}  // namespace tenkai
