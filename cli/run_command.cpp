// `tenkai run`: an R script as a job of Slurm, in whose allocation its daemons run. Where
// its profile is for this machine, it runs here.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/random_hex.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/unknown_word.h"
#include "launcher/plugin/launch_folder.h"
#include "launcher/plugin/plugin_process.h"
#include "launcher/profile/find.h"
#include "launcher/template/shell.h"
#include "process/own_path.h"
#include "wire/secret.h"

namespace tenkai {
namespace cli_run {
namespace {

namespace fs = std::filesystem;

// A batch system may be slow to take a job; the dispatcher waits as long.
constexpr std::chrono::seconds start_limit{90};
constexpr std::chrono::seconds render_limit{10};
// A job that begins at once has done so by then.
constexpr std::chrono::seconds time_to_begin{3};
constexpr int no_job = 2;         // our exit code, as that of `tenkai launch`
constexpr int unknown_end = 1;    // the job has ended, and has told no exit code
constexpr int interrupted = 130;  // as of a program that Ctrl-C has ended

struct Arguments {
  std::string profile;
  std::optional<std::size_t> daemons;
  std::vector<std::string> script;  // with its arguments
  std::string log;
  bool dry = false;
  bool wait = false;
  bool json = false;
};

void complain(const std::string& why) {
  std::fprintf(stderr, "tenkai run: %s\n", printable(why, 4000).c_str());
}

int fail(const Error& why) {
  complain(why.message);
  return no_job;
}

// --- what is run ---

// "fit.R" writes into fit-123.log, beside where it was submitted.
std::string log_of(const Arguments& arguments) {
  if (!arguments.log.empty()) return arguments.log;
  std::string name = fs::path(arguments.script.front()).stem().string();
  std::string pattern;
  for (char c : name) pattern += c == '%' ? std::string("%%") : std::string(1, c);
  return pattern + "-%j.log";
}

std::string log_of_job(std::string pattern, const std::string& id) {
  std::string path;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    bool is_mark = pattern[i] == '%' && i + 1 < pattern.size();
    if (is_mark && (pattern[i + 1] == 'j' || pattern[i + 1] == 'A')) path += id, ++i;
    else if (is_mark && pattern[i + 1] == '%') path += '%', ++i;
    else path += pattern[i];
  }
  return path;
}

std::vector<std::string> command_of(const Arguments& arguments, const std::string& rscript) {
  std::vector<std::string> command{rscript};
  command.insert(command.end(), arguments.script.begin(), arguments.script.end());
  return command;
}

LaunchRequest request_of(const Arguments& arguments, const Deployment& deployment) {
  LaunchRequest request;
  request.number = 1;
  request.profile = arguments.profile.empty() ? "run" : arguments.profile;
  request.session = random_hex(4);
  std::size_t daemons = to_number<std::size_t>(deployment.daemons).value_or(1);
  if (deployment.scale) daemons = deployment.scale->max;
  request.daemons = std::max<std::size_t>(1, arguments.daemons.value_or(daemons));
  Arguments there = arguments;
  // The environment may lead into another folder: a prologue does, and renv.
  there.script.front() = fs::absolute(arguments.script.front()).string();
  request.command = command_of(there, deployment.rscript);
  request.options = deployment.options;
  request.options["slurm.run"] = {"1"};
  request.options["slurm.run-log"] = {log_of(arguments)};
  // It is not ours to end.
  request.stays = true;
  return request;
}

// Becomes R.
int run_here(const Arguments& arguments, const std::string& rscript) {
  std::vector<std::string> command = command_of(arguments, rscript);
  if (arguments.dry) {
    std::printf("%s\n", shell_command(command).c_str());
    return 0;
  }
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execvp(argv.front(), argv.data());
  complain("cannot start " + rscript + ": " + std::strerror(errno) +
           "; is R installed, and in the PATH? environment.rscript of a profile says where it is");
  return 127;
}

// --- the job ---

// Removes what jobs write of themselves when nobody reads it any more.
struct RunFolder {
  std::string path;
  ~RunFolder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
};

class Run {
 public:
  Run(const Arguments& arguments, const std::vector<std::string>& plugin)
      : arguments_(arguments),
        plugin_(io_.get_executor(), "slurm", plugin,
                {[this](const JobReport& news) { on_news(news); },
                 [this](const std::string&) { on_plugin_died(); }}),
        signals_(io_, SIGINT, SIGTERM),
        ask_timer_(io_) {}

  int show(LaunchRequest request);
  int submit(LaunchRequest request);

 private:
  void on_begun(const PluginAnswer& answer);
  void on_news(const JobReport& news);
  void on_over(const JobReport& news);
  void on_plugin_died();
  void print_job() const;
  void ask_why();
  // Says `why`, unless it is empty, and ends.
  void finish(const std::string& why, int code);

  const Arguments& arguments_;
  asio::io_context io_{1};
  PluginProcess plugin_;
  asio::signal_set signals_;
  asio::steady_timer ask_timer_;
  std::string name_;  // of the job, as the plugin calls it
  std::string id_;    // as Slurm does; empty: it has none
  std::string last_;  // what was said last
  bool began_ = false;
  bool over_ = false;
  int code_ = no_job;
};

int Run::show(LaunchRequest request) {
  PluginCall call;
  call.verb = PluginCall::Verb::render;
  call.request = std::move(request);
  plugin_.call(std::move(call), render_limit, [this](const PluginAnswer& answer) {
    if (answer.rendered) std::printf("%s\n", answer.rendered->text.c_str());
    finish(answer.error ? answer.error->message : "", answer.rendered ? 0 : no_job);
  });
  io_.run();
  return code_;
}

int Run::submit(LaunchRequest request) {
  PluginCall call;
  call.verb = PluginCall::Verb::start;
  call.request = std::move(request);
  signals_.async_wait([this](boost::system::error_code cancelled, int) {
    if (cancelled) return;
    finish(id_.empty() ? "interrupted; whether there is a job, squeue shows"
                       : "interrupted; job " + id_ + " goes on: scancel " + id_ + " ends it",
           interrupted);
  });
  plugin_.call(std::move(call), start_limit, [this](const PluginAnswer& answer) { on_begun(answer); });
  io_.run();
  return code_;
}

void Run::on_begun(const PluginAnswer& answer) {
  if (answer.error) return finish(answer.error->message, no_job);
  if (answer.jobs.size() != 1) return finish("the launcher plugin has named no job", no_job);
  name_ = answer.jobs.front();
  std::string id = name_.substr(0, name_.find_first_of("_."));
  // Else why there is none comes as news.
  if (!to_number<std::uint64_t>(id)) return;
  id_ = id;
  print_job();
  if (!arguments_.wait) return finish("", 0);
  ask_timer_.expires_after(time_to_begin);
  ask_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled && last_.empty()) ask_why();
  });
}

// Somebody waits, and nothing has been said of the job: what it waits for comes as news.
void Run::ask_why() {
  PluginCall call;
  call.verb = PluginCall::Verb::poll;
  call.job = name_;
  plugin_.call(std::move(call), start_limit, [this](const PluginAnswer& answer) {
    if (answer.report) on_news(*answer.report);
  });
}

void Run::print_job() const {
  std::string log = log_of_job(log_of(arguments_), id_);
  if (arguments_.json) {
    boost::json::object shown{{"job", id_}, {"log", log}};
    std::printf("%s\n", boost::json::serialize(shown).c_str());
  } else {
    std::printf("%s\n", id_.c_str());
    if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "its output: %s\n", printable(log, 500).c_str());
  }
  std::fflush(stdout);
}

void Run::on_news(const JobReport& news) {
  if (news.job != name_ || over_) return;
  if (news.state == JobState::failed) return finish(news.message, no_job);
  if (news.state == JobState::ended) return on_over(news);
  began_ = began_ || news.state == JobState::starting;
  if (!arguments_.wait) return;
  std::string where = news.where.empty() ? "" : " on " + news.where;
  std::string text = news.state == JobState::starting ? "job " + id_ + " runs" + where : news.message;
  if (text.empty() || text == last_) return;
  last_ = text;
  std::fprintf(stderr, "tenkai run: %s\n", printable(text, 500).c_str());
}

// What the script has said itself is in the log.
void Run::on_over(const JobReport& news) {
  int code = news.exit_code.value_or(news.signal ? 128 + *news.signal : unknown_end);
  bool killed = news.signal || !news.exit_code;
  std::string why = news.message;
  if (why.empty() && killed) why = "job " + id_ + " was killed";
  // Slurm does not say that it could not open the output.
  if (!why.empty() && !began_)
    why += "; its output was to go to " + fs::absolute(log_of_job(log_of(arguments_), id_)).string() +
           ", whose folder must be there on the node, too";
  if (!why.empty() && code == 0) code = unknown_end;
  finish(why, code);
}

// Who is told that nothing was submitted would do it again.
void Run::on_plugin_died() {
  std::string what = "the launcher plugin 'slurm' has died";
  if (id_.empty()) return finish(what + "; whether there is a job, squeue shows", no_job);
  finish(what + ", and nobody follows job " + id_ + " any more; it goes on, squeue shows it", unknown_end);
}

void Run::finish(const std::string& why, int code) {
  if (std::exchange(over_, true)) return;
  if (!why.empty()) complain(why);
  code_ = code;
  signals_.cancel();
  ask_timer_.cancel();
  plugin_.close([this] { io_.stop(); });
}

// --- the command ---

bool belongs_to_slurm(const Arguments& arguments, const Deployment& deployment) {
  return arguments.profile.empty() ? is_in_path("sbatch") : deployment.plugin == "slurm";
}

int run_as_job(const Arguments& arguments, const Deployment& deployment) {
  Result<std::vector<std::string>> plugin =
      find_plugin("slurm", own_program(), std::getenv("TENKAI_PLUGINS"));
  if (!plugin) return fail(plugin.error());
  LaunchRequest request = request_of(arguments, deployment);
  RunFolder folder;
  if (!arguments.dry) {
    Result<std::string> made = make_launch_folder();
    if (!made) return fail(made.error());
    folder.path = *made;
    request.folder = *made;
  }
  Run run(arguments, *plugin);
  return arguments.dry ? run.show(std::move(request)) : run.submit(std::move(request));
}

Result<Done> check_script(const std::vector<std::string>& script) {
  if (script.empty()) return Error{"say which script is to run: tenkai run fit.R"};
  const std::string& path = script.front();
  std::error_code ignored;
  // R reads a folder as a script that has nothing in it.
  if (fs::is_directory(path, ignored)) return Error{"the script " + path + " is a folder; name a file in it"};
  if (::access(path.c_str(), R_OK) == 0) return Done{};
  return Error{"cannot read the script " + path + ": " + std::strerror(errno)};
}

// Slurm makes no folders, and a job whose output cannot be opened ends without a word.
Result<Done> check_log(const std::string& pattern) {
  fs::path folder = fs::path(pattern).parent_path();
  std::string name = folder.empty() ? "." : folder.string();
  auto refuse = [&](const std::string& why) {
    return Error{"the output cannot go to " + pattern + ": " + why};
  };
  std::size_t mark = name.find('%');
  while (mark != name.npos && name.compare(mark, 2, "%%") == 0)
    mark = name.erase(mark, 1).find('%', mark + 1);
  if (mark != name.npos)
    return refuse("Slurm makes no folders, so --log can have a % in the name of the file alone");
  std::error_code ignored;
  if (fs::is_directory(pattern, ignored)) return refuse("that is a folder; name a file in it");
  if (!fs::is_directory(name, ignored))
    return refuse("there is no folder " + name + ", and Slurm makes none; make it, or say another --log");
  if (::access(name.c_str(), W_OK | X_OK) == 0) return Done{};
  return refuse("you cannot write into the folder " + name + ": " + std::strerror(errno) +
                "; say another --log");
}

int run(const Arguments& arguments) {
  Result<Done> good = check_script(arguments.script);
  if (!good) return fail(good.error());
  Deployment deployment;
  if (!arguments.profile.empty()) {
    Result<Deployment> found = find_deployment(arguments.profile);
    if (!found) return fail(found.error());
    deployment = std::move(*found);
    for (const std::string& warning : deployment.warnings) complain("warning: " + warning);
  }
  bool is_job = belongs_to_slurm(arguments, deployment);
  // What launches elsewhere has its R elsewhere, and the session is here.
  if (!is_job) return run_here(arguments, deployment.plugin.empty() ? deployment.rscript : "Rscript");
  good = check_log(log_of(arguments));
  if (!good) return fail(good.error());
  return run_as_job(arguments, deployment);
}

}  // namespace
}  // namespace cli_run

void add_run_command(CLI::App& app, int& exit_code) {
  using namespace cli_run;
  CLI::App* command = app.add_subcommand("run", "Run an R script as a job that holds its daemons");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("--profile", arguments->profile, "As this compute profile says")->type_name("PROFILE");
  command
      ->add_option("--daemons", arguments->daemons,
                   "For how many daemons there is to be room [as the profile says, or 1]")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, 100'000));
  command
      ->add_option("--log", arguments->log,
                   "Where its output goes; %j stands for the job's id [SCRIPT-%j.log, here]")
      ->type_name("FILE");
  command->add_flag("--wait", arguments->wait, "Wait until the job has ended, and end with its exit code");
  command->add_flag("--dry-run", arguments->dry, "Print what would be run, and run nothing");
  command->add_flag("--json", arguments->json, "Print the job as one JSON document");
  // What follows the script is the script's own, options too.
  command->prefix_command();
  command->footer(
      "tenkai run [OPTIONS] SCRIPT [ARGUMENTS...]\n\n"
      "Without Slurm, or with a profile whose launcher is not slurm, the script runs here.\n"
      "\n"
      "Example:\n"
      "  tenkai run --profile cpu --wait fit.R --fast\n\n"
      "Exit codes:\n"
      "  0    the job was submitted\n"
      "  1    with --wait: it has ended without an exit code, or nobody can follow it any more\n"
      "  2    nothing was submitted\n"
      "  127  R was to run here, and was not found\n"
      "  130  with --wait: Ctrl-C has ended the waiting, not the job\n"
      "  N    with --wait: that of the script, or 128 and the signal that has killed it");
  command->callback([arguments, command, &app, &exit_code] {
    arguments->script = command->remaining();
    std::string why = unknown_word(app);
    if (!why.empty()) std::fprintf(stderr, "%s\n", why.c_str());
    exit_code = why.empty() ? run(*arguments) : no_job;
  });
}

}  // namespace tenkai
