#include "launcher/doctor/topics.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/path.h"
#include "base/text.h"
#include "base/version.h"
#include "launcher/doctor/machine_checks.h"
#include "launcher/doctor/profile_checks.h"
#include "launcher/doctor/r_report.h"
#include "launcher/plugin/environment_command.h"
#include "launcher/plugin/plugin_process.h"
#include "launcher/template/check.h"
#include "process/own_path.h"

namespace tenkai::doctor {
namespace {

// R on a slow file system has been seen to take as long; a healthy one starts in half a second.
constexpr std::chrono::seconds r_limit{20};

std::string in_home(const std::string& path) {
  const char* home = std::getenv("HOME");
  return home != nullptr && path.starts_with("~/") ? home + path.substr(1) : path;
}

// Folders that each machine has for itself.
bool is_of_this_machine(const std::string& path) {
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"/tmp", "/var/tmp", "/dev/shm"},
      [&path](std::string_view each) { return path == each || path.starts_with(std::string(each) + "/"); });
}

std::optional<LogFolder> log_folder_of(const Deployment& deployment) {
  auto logs = deployment.options.find("slurm.logs");
  if (logs == deployment.options.end() || logs->second.empty()) return std::nullopt;
  LogFolder folder;
  folder.path = in_home(logs->second.front());
  struct stat found {};
  folder.is_there = ::stat(folder.path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
  folder.is_writable = ::access(folder.path.c_str(), W_OK | X_OK) == 0;
  folder.is_of_this_machine = is_of_this_machine(folder.path);
  return folder;
}

// What the profile says is run to start daemons.
std::string program_of(const Deployment& deployment) {
  for (const char* name : {"program", "mpi.program"}) {
    auto found = deployment.options.find(name);
    if (found != deployment.options.end() && !found->second.empty()) return found->second.front();
  }
  return deployment.plugin == "mpi" ? "mpirun" : "";
}

bool is_runnable(const std::string& program) {
  return program.find('/') == std::string::npos ? is_in_path(program) : ::access(program.c_str(), X_OK) == 0;
}

}  // namespace

std::size_t Patient::daemons() const {
  if (deployment == nullptr) return 1;
  if (deployment->scale) return deployment->scale->max;
  return to_number<std::size_t>(deployment->daemons).value_or(1);
}

Topic r_topic(const Patient& patient) {
  // What SSH reaches has an R of its own; a batch system's nodes may have another environment.
  bool is_elsewhere = patient.launcher() == "ssh";
  RReport report;
  report.id = "r";
  report.own_version = program_version;
  report.limit = r_limit;
  report.counts = patient.launcher().empty() || patient.launcher() == "command";
  if (is_elsewhere) report.hint = "daemons of this profile run in another R";
  else if (!report.counts) report.hint = "the nodes may have it, `tenkai doctor --probe` asks them";
  report.rscript = patient.deployment == nullptr || is_elsewhere ? "Rscript" : patient.deployment->rscript;
  Question question;
  question.argv = {report.rscript, "-e", r_report_call()};
  question.limit = r_limit;
  if (patient.deployment != nullptr && !is_elsewhere) {
    LaunchRequest request;
    request.options = patient.deployment->options;
    Result<std::vector<std::string>> command = in_environment(question.argv, request);
    if (!command) {
      Check refused = wrong("r.environment", "environment of the profile", command.error().message,
                            "tenkai profile show " + shell_quote(patient.profile->name));
      return {{}, [refused](const std::vector<Answer>&) { return Checks{refused}; }};
    }
    question.argv = *command;
  }
  return {{question}, [report](const std::vector<Answer>& answers) mutable {
            report.answer = answers.front();
            return judge_r(report);
          }};
}

Checks look_at_program(const Patient& patient) {
  Checks checks = {ok("program", patient.program, "version " + std::string(program_version))};
  if (patient.launcher().empty()) return checks;
  std::string starts = program_of(*patient.deployment);
  if (!starts.empty() && is_runnable(starts)) checks.push_back(ok("program.launcher", starts, "is found"));
  else if (!starts.empty())
    checks.push_back(
        wrong("program.launcher", starts, "is not found, and daemons are started by it",
              "module load what has it, or change " + patient.launcher() + ".program of the profile"));
  std::string what = "launcher plugin " + patient.launcher();
  Result<std::vector<std::string>> plugin =
      find_plugin(patient.launcher(), patient.program, std::getenv("TENKAI_PLUGINS"));
  if (plugin) checks.push_back(ok("program.plugin", what, join(*plugin, " ")));
  else
    checks.push_back(
        wrong("program.plugin", what, plugin.error().message, "tenkai plugins shows which are there"));
  return checks;
}

Checks look_at_profile(const Patient& patient) {
  if (patient.profile == nullptr) return {};
  Checks checks = judge_sense(*patient.profile);
  if (patient.launcher() == "slurm") {
    Profiles alone;
    alone.all[patient.profile->name] = *patient.profile;
    Problems warnings;
    Problems problems = check_templates(alone, patient.program, warnings);
    add(checks, judge_template(*patient.profile, problems, warnings));
  }
  if (patient.deployment != nullptr) add(checks, judge_logs(log_folder_of(*patient.deployment)));
  return checks;
}

Checks look_at_the_machine(const Patient& patient) {
  Machine machine = look_at_machine();
  machine.daemons = patient.daemons();
  machine.here = patient.launcher().empty();
  // Launchers keep the files of jobs in the home.
  for (Room& each : machine.rooms) each.is_needed = each.is_needed || (each.what == "home" && !machine.here);
  return judge_machine(machine);
}

}  // namespace tenkai::doctor
