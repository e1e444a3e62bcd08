#include "plugins/slurm/job_script.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "launcher/plugin/launch_folder.h"
#include "launcher/profile/sbatch_options.h"
#include "launcher/profile/value.h"
#include "plugins/slurm/job_folder.h"
#include "process/own_path.h"

namespace tenkai::slurm {
namespace {

// What a name of a job should hold, for those who look at queues.
std::string plain(std::string_view text) {
  std::string kept;
  for (char c : text) {
    bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (fits) kept += c;
  }
  return kept.substr(0, 64);
}

std::size_t number_of(const LaunchRequest& request, const std::string& key, std::size_t otherwise) {
  return to_number<std::size_t>(request.option(key)).value_or(otherwise);
}

// The value of an option in a list of words: "--exclude=a", "--exclude a", "-x a", "-xa"; the
// last one counts.
std::string value_of(const std::vector<std::string>& words, const std::string& name, char letter) {
  std::string value;
  const std::string with_equals = "--" + name + "=";
  const std::string shorter = std::string("-") + letter;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.starts_with(with_equals)) value = word.substr(with_equals.size());
    else if ((word == "--" + name || word == shorter) && i + 1 < words.size()) value = words[i + 1];
    else if (word.size() > 2 && word.starts_with(shorter)) value = word.substr(2);
  }
  return value;
}

// A task of the allocation is one daemon, for which there is room beside the others.
void say_of_run(const LaunchRequest& request, std::size_t cpus, const std::string& gpus,
                TemplateValues& values) {
  std::size_t nodes = number_of(request, "slurm.nodes", 0);
  std::size_t tasks = std::max({request.daemons, nodes, std::size_t{1}});
  values["launch.ntasks"] = {std::to_string(tasks)};
  // Else the first nodes are filled, and the last has one.
  if (nodes > 0) values["launch.tasks-per-node"] = {std::to_string((tasks + nodes - 1) / nodes)};
  values["launch.cpus"] = {std::to_string(cpus)};
  if (!gpus.empty()) values["launch.gpus"] = {gpus};
}

// How long the job lasts, where the profile says it, and nothing that is passed on says it again.
std::optional<std::string> seconds_of_job(const LaunchRequest& request) {
  auto options = request.options.find("slurm.options");
  if (options != request.options.end()) {
    for (const std::string& option : options->second)
      if (option.starts_with("-t") || option.starts_with("--time")) return std::nullopt;
  }
  std::optional<std::chrono::seconds> limit = parse_time_limit(request.option("slurm.time"));
  if (!limit) return std::nullopt;
  return std::to_string(limit->count());
}

// What a template says that it must not. `log`: where its output is looked for.
Result<Done> check_directives(const std::vector<std::string>& words, const std::string& log) {
  for (const std::string& word : words) {
    std::string_view own = own_sbatch_option(word);
    if (own == "wait" || own == "test-only" || own == "wrap") {
      return Error{"the job script has the option " + printable(word, 60) +
                   ", with which no job can be followed; take it out of the template"};
    }
    if (own == "error")
      return Error{"the job script has the option " + printable(word, 60) +
                   ", and then nobody can read why a job has failed; take it out of the template, so that "
                   "errors go where the output does"};
  }
  std::string output = value_of(words, "output", 'o');
  if (output.empty() || output == log) return Done{};
  return Error{"the job script has the option --output=" + printable(output, 500) +
               ", and then nobody can read why a job has failed; write --output={{ launch.log }} in the "
               "template, and slurm.logs names a folder in which logs stay"};
}

}  // namespace

Result<Done> check_options(const LaunchRequest& request) {
  Result<Done> checked =
      check_keys(request.options, "slurm", {"slurm.allocation", "slurm.run", "slurm.run-log"});
  auto options = request.options.find("slurm.options");
  if (!checked || options == request.options.end()) return checked;
  auto why = complaint_about_options(options->second, tag_place_of(request) == TagPlace::comment);
  if (why) return Error{*why};
  return Done{};
}

TagPlace tag_place_of(const LaunchRequest& request) {
  return request.option("slurm.job-tag", "name") == "comment" ? TagPlace::comment : TagPlace::name;
}

std::string job_tag_of(const LaunchRequest& request) {
  return "tenkai-" + plain(request.profile) + "-" + plain(request.session) + "-" +
         std::to_string(request.number);
}

bool is_run(const LaunchRequest& request) { return request.flag("slurm.run"); }

bool has_ranks(const LaunchRequest& request) {
  return !is_run(request) && !request.option("slurm.nodes").empty();
}

std::string times_gpus(const std::string& gpus, std::size_t factor) {
  std::vector<std::string> kinds;
  for (std::string_view kind : split(gpus, ',')) {
    std::size_t colon = kind.rfind(':');
    std::string_view digits = kind.substr(colon == kind.npos ? 0 : colon + 1);
    std::optional<std::size_t> count = to_number<std::size_t>(digits);
    // A kind without a number is one of it.
    if (!count) kinds.push_back(std::string(kind) + ":" + std::to_string(factor));
    else
      kinds.push_back(std::string(kind.substr(0, kind.size() - digits.size())) +
                      std::to_string(*count * factor));
  }
  return join(kinds, ",");
}

TemplateValues script_values(const LaunchRequest& request, const Batch& batch, const std::string& array,
                             const std::string& folder) {
  TemplateValues values(request.options.begin(), request.options.end());
  std::size_t chunk = std::max<std::size_t>(request.chunk == 0 ? request.daemons : request.chunk, 1);
  std::size_t cpus = std::max<std::size_t>(number_of(request, "slurm.cpus-per-task", 1), 1);
  std::string gpus = request.option("slurm.gpus-per-task");
  bool by_comment = tag_place_of(request) == TagPlace::comment;
  values["launch.name"] = {by_comment ? "tenkai-" + plain(request.profile) : batch.job_tag};
  if (by_comment) values["launch.comment"] = {batch.job_tag};
  values["launch.folder"] = {folder.empty() ? usual_launch_folder() : folder};
  // Agents write a log of each daemon there; what goes with the session needs no more.
  if (!request.option("slurm.logs").empty())
    values["environment.variables.TENKAI_LOGS"] = {logs_of(request, folder)};
  if (parse_flag(request.option("slurm.task-logs")).value_or(false))
    values["environment.variables.TENKAI_TASK_LOGS"] = {"1"};
  values["launch.log"] = {log_of(request, folder)};
  if (!array.empty()) values["launch.array"] = {array};
  values["launch.rank-offset"] = {std::to_string(batch.first)};
  values["launch.ntasks"] = {std::to_string(array.empty() ? batch.agents : 1)};
  values["launch.cpus"] = {std::to_string(chunk * cpus)};
  if (!gpus.empty()) values["launch.gpus"] = {times_gpus(gpus, chunk)};
  values["launch.threads"] = {std::to_string(cpus)};
  if (std::optional<std::string> seconds = seconds_of_job(request)) values["launch.seconds"] = {*seconds};
  values["launch.command"] = request.command;
  if (!request.agent.empty()) values["launch.program"] = request.agent;
  values["launch.programs"] = {helper_folder(own_program())};
  // Nothing is asked for a node on which no agent would be.
  if (std::size_t nodes = number_of(request, "slurm.nodes", 0); has_ranks(request) && nodes > request.agents)
    values["slurm.nodes"] = {std::to_string(request.agents)};
  if (is_run(request)) say_of_run(request, cpus, gpus, values);
  return values;
}

Result<std::vector<std::string>> sbatch_argv(const LaunchRequest& request, const Batch& batch,
                                             const std::string& array, const JobScript& script,
                                             const std::vector<std::string>& excluded,
                                             const std::string& path, const std::vector<SiteOption>& site) {
  Result<Done> checked = check_directives(script.directives, log_of(request, request.folder));
  if (!checked) return checked.error();
  std::vector<std::string> argv{"sbatch", "--parsable"};
  argv.push_back((tag_place_of(request) == TagPlace::comment ? "--comment=" : "--job-name=") + batch.job_tag);
  if (!array.empty()) argv.push_back("--array=" + array);
  // A template may say nothing of it.
  if (value_of(script.directives, "output", 'o').empty())
    argv.push_back("--output=" + log_of(request, request.folder));
  // Those of the launch are not in every template, and slurm.options may have replaced them.
  std::vector<std::string> nodes = excluded;
  const std::string of_launch = request.option("launch.exclude");
  for (std::string_view node : split(of_launch, ',')) {
    if (!node.empty() && std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.emplace_back(node);
  }
  if (!nodes.empty()) {
    std::string own = value_of(script.directives, "exclude", 'x');
    if (own == of_launch) own.clear();
    argv.push_back("--exclude=" + (own.empty() ? "" : own + ",") + join(nodes, ","));
  }
  for (std::string& word : words_beside(site, script.directives)) argv.push_back(std::move(word));
  if (!path.empty()) argv.push_back(path);
  return argv;
}

std::string clusters_of(const JobScript& script, const std::vector<SiteOption>& site) {
  std::string said = value_of(script.directives, "clusters", 'M');
  if (!said.empty()) return said;
  auto of_site =
      std::find_if(site.begin(), site.end(), [](const SiteOption& each) { return each.name == "clusters"; });
  return of_site == site.end() ? std::string() : of_site->value;
}

std::string logs_of(const LaunchRequest& request, const std::string& folder) {
  std::string named = request.option("slurm.logs");
  const char* home = std::getenv("HOME");
  if (named.starts_with("~/") && home != nullptr) named.replace(0, 1, home);
  if (!named.empty()) return std::filesystem::absolute(named).string();
  return folder.empty() ? "" : folder + "/logs";
}

std::string log_of(const LaunchRequest& request, const std::string& folder) {
  if (is_run(request)) return request.option("slurm.run-log", "tenkai-%j.log");
  return log_pattern(logs_of(request, folder), has_ranks(request));
}

std::string paste_text(const std::vector<std::string>& argv, const std::string& script) {
  // A word that is no line of it.
  std::string end = "TENKAI";
  std::vector<std::string_view> lines = split(script, '\n');
  while (std::find(lines.begin(), lines.end(), end) != lines.end()) end += "_";
  std::vector<std::string> words;
  for (const std::string& word : argv) words.push_back(shell_quote(word));
  return join(words, " ") + " <<'" + end + "'\n" + script + (script.ends_with('\n') ? "" : "\n") + end;
}

}  // namespace tenkai::slurm
