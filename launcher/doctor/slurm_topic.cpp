// Asks Slurm's programs, each once: a site limits how often it is asked.
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "launcher/doctor/slurm_checks.h"
#include "launcher/doctor/topics.h"
#include "launcher/plugin/slurm_variables.h"
#include "process/own_path.h"

namespace tenkai::doctor {
namespace {

constexpr std::chrono::seconds slurm_limit{5};

// Whose jobs they are, whatever USER says (su, cron); the launcher asks for the same.
std::string user_id() { return std::to_string(::getuid()); }

// The database of Slurm knows names alone.
std::string user_name() {
  if (const passwd* entry = ::getpwuid(::getuid())) return entry->pw_name;
  const char* user = std::getenv("USER");
  return user != nullptr ? user : user_id();
}

std::string short_host() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  std::string host = name;
  return host.substr(0, host.find('.'));
}

// Nothing of another job, and no format of the user's, is for what is asked here.
std::vector<std::string> without_variables(std::vector<std::string> argv) {
  std::vector<std::string> all = {"env"};
  for (char** each = environ; *each != nullptr; ++each) {
    std::string_view name(*each);
    name = name.substr(0, name.find('='));
    if (slurm::is_of_slurm(name)) all.insert(all.end(), {"-u", std::string(name)});
  }
  all.emplace_back("LC_ALL=C");
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

Question slurm_question(std::vector<std::string> argv) {
  Question question{without_variables(std::move(argv))};
  question.limit = slurm_limit;
  return question;
}

// Variables that count beside what a profile says.
std::vector<std::string> variables_beside(const Profile& profile) {
  if (std::getenv("SLURM_JOB_ID") != nullptr) return {};
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each) {
    std::vector<slurm::SiteOption> options = slurm::site_options_in({*each});
    if (options.empty() || profile.find("slurm." + options.front().name) != nullptr) continue;
    variables.push_back(printable(*each, 60));
  }
  return variables;
}

// The script of a profile as a shell would submit it, to be tested in place of that.
std::optional<Question> test_of(const Answer& rendered) {
  std::string_view text = rendered.output;
  if (!rendered.is_good() || !text.starts_with("sbatch ")) return std::nullopt;
  return slurm_question({"sh", "-c", "sbatch --test-only " + first_submission(text.substr(7))});
}

// What would be launched, as a session would have it; then what sbatch says to that.
Question render_question(const Patient& patient) {
  Question question{{patient.program, "launch", "--profile", patient.profile->name, "--dry-run", "--url",
                     patient.deployment->url, "--daemons", std::to_string(patient.daemons())}};
  question.limit = slurm_limit;
  question.next = test_of;
  return question;
}

SlurmState state_of(const Patient& patient) {
  SlurmState state;
  state.limit = slurm_limit;
  state.is_wanted = patient.launcher() == "slurm";
  state.host = short_host();
  if (const char* job = std::getenv("SLURM_JOB_ID")) state.own_job = printable(job, 20);
  if (state.is_wanted) state.variables = variables_beside(*patient.profile);
  for (const char* program : {"sbatch", "squeue", "scancel", "srun", "sacct", "scontrol", "sinfo"})
    if (!is_in_path(program)) state.said.missing.emplace_back(program);
  return state;
}

}  // namespace

Topic slurm_topic(const Patient& patient) {
  SlurmState state = state_of(patient);
  if (!state.is_wanted && (patient.profile != nullptr || !is_in_path("sbatch"))) return {{}, {}};
  std::vector<Question> questions = {
      slurm_question({"sbatch", "--version"}),
      slurm_question({"scontrol", "ping"}),
      slurm_question({"scontrol", "-o", "show", "partition"}),
      slurm_question({"sinfo", "-h", "-e", "-o", std::string(nodes_format)}),
      slurm_question({"scontrol", "show", "config"}),
      slurm_question({"squeue", "-h", "-r", "-u", user_id(), "-o", "%i"}),
      slurm_question({"sacctmgr", "-nP", "show", "assoc", "user=" + user_name(),
                      "format=" + std::string(associations_format)}),
      slurm_question({"sacct", "-X", "-n", "-P", "-o", "JobID"}),
  };
  // In a job the daemons are its steps, and nothing is submitted.
  bool is_submitted = state.is_wanted && state.own_job.empty();
  bool is_tested = is_submitted && patient.may_launch;
  if (is_tested) questions.push_back(render_question(patient));
  std::string name = patient.profile == nullptr ? "" : patient.profile->name;
  SlurmRequest request =
      state.is_wanted ? slurm_request(*patient.profile, patient.daemons()) : SlurmRequest();
  return {std::move(questions),
          [state, request, is_submitted, is_tested, name](const std::vector<Answer>& answers) mutable {
            state.said.version = answers[0];
            state.said.ping = answers[1];
            state.said.partitions = answers[2];
            state.said.nodes = answers[3];
            state.said.config = answers[4];
            state.said.queue = answers[5];
            state.said.associations = answers[6];
            state.said.database = answers[7];
            bool is_there = false;
            Checks checks = judge_slurm(state, is_there);
            if (!is_there || !state.is_wanted) return checks;
            add(checks, judge_request(state, request));
            if (is_tested) checks.push_back(judge_test(name, answers[8], state.limit));
            else if (is_submitted) checks.push_back(not_tested());
            return checks;
          }};
}

}  // namespace tenkai::doctor
