#include "launcher/doctor/slurm_checks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/text.h"

namespace tenkai::doctor {
namespace {

// A queue that takes longer is overloaded, or asked too often.
constexpr std::chrono::milliseconds slow_queue{3000};
// A job that ends is asked for within a minute; one that is forgotten by then has no cause.
constexpr std::uint64_t least_job_age = 60;
// srun --overlap, without which a task's own steps wait for those of its daemon.
constexpr int overlap_version = 2011;
constexpr std::string_view test_of_script = "sbatch --test-only of the profile's script";

std::string of(const std::map<std::string, std::string>& config, const std::string& key) {
  auto found = config.find(key);
  return found == config.end() ? "" : found->second;
}

Check judge_programs(const SlurmState& state) {
  std::string what = "programs of Slurm";
  std::vector<std::string> missing = state.said.missing;
  if (missing.empty())
    return ok("slurm.programs", what, "sbatch, squeue, scancel, srun, sacct, scontrol, sinfo");
  std::string sentence = join(missing, ", ") + (missing.size() == 1 ? " is" : " are") + " not in the PATH";
  bool is_little = missing == std::vector<std::string>{"sacct"};
  if (is_little) return warning("slurm.programs", what, sentence, "export PATH=$PATH:/path/of/slurm/bin");
  if (!state.is_wanted) return skipped("slurm.programs", what, sentence);
  return wrong(
      "slurm.programs", what,
      sentence + "; within a container they may be those of the host, which have to be bound into it",
      "module load slurm, or export PATH=$PATH:/path/of/slurm/bin");
}

Check judge_version(const Answer& answer) {
  std::string text(trim(answer.output));
  int version = slurm_version(text);
  if (version == 0) return skipped("slurm.version", "Slurm", "its version is not known");
  if (version < overlap_version)
    return warning(
        "slurm.version", "Slurm",
        printable(text, 60) + " is older than 20.11: srun within tasks waits for the daemon's own step",
        "use no srun in tasks, or ask the site for a later Slurm");
  return ok("slurm.version", "Slurm", printable(text, 60));
}

Check judge_queue(const SlurmState& state) {
  const Answer& queue = state.said.queue;
  std::string what = "squeue";
  if (!queue.is_good())
    return wrong("slurm.queue", what, trouble_of(queue, state.limit), "squeue -u $USER, until it answers");
  if (queue.took > slow_queue)
    return warning("slurm.queue", what,
                   "takes " + in_seconds(queue.took) +
                       " to answer: Slurm is overloaded, or limits how often it "
                       "is asked",
                   "sdiag shows who asks; wait, or tell the site");
  return ok("slurm.queue", what, "answers");
}

Check judge_database(const SlurmState& state, const std::map<std::string, std::string>& config) {
  std::string what = "sacct";
  const Answer& sacct = state.said.database;
  bool has_database = of(config, "AccountingStorageType").ends_with("slurmdbd");
  std::string age = of(config, "MinJobAge");
  std::uint64_t seconds = to_number<std::uint64_t>(age.substr(0, age.find(' '))).value_or(least_job_age);
  if (has_database && sacct.is_good()) return ok("slurm.database", what, "answers");
  std::string sentence =
      has_database ? "the database of Slurm does not answer: sacct " + trouble_of(sacct, state.limit)
                   : "there is no database of Slurm";
  if (has_database)
    return warning("slurm.database", what,
                   sentence + "; jobs run all the same, how they end may stay unknown",
                   "sacct -X, until it answers; sacctmgr ping tells who is down");
  if (seconds < least_job_age)
    return warning("slurm.database", what,
                   sentence + ", and Slurm forgets a job " + std::to_string(seconds) +
                       " s after its end (MinJobAge): why one ended may stay unknown",
                   "ask the site for MinJobAge=300; set slurm.logs of the profile, so that logs stay");
  return ok("slurm.database", what,
            sentence + "; how a job ended is known for " + std::to_string(seconds) + " s");
}

Check judge_variables(const SlurmState& state) {
  std::string what = "variables of the session";
  if (!state.own_job.empty())
    return ok("slurm.variables", what, "those of job " + state.own_job + ", in which this is, are left out");
  if (state.variables.empty()) return ok("slurm.variables", what, "none changes what sbatch is asked for");
  std::vector<std::string> names;
  for (const std::string& each : state.variables) names.push_back(each.substr(0, each.find('=')));
  return warning("slurm.variables", what,
                 join(state.variables, ", ") + " will count where the profile says nothing",
                 "unset " + join(names, " ") + ", or say the same in the profile");
}

std::string without(std::string_view name, std::string_view line) {
  return std::string(line.starts_with(name) ? line.substr(name.size()) : line);
}

}  // namespace

Checks judge_slurm(const SlurmState& state, bool& answers) {
  // One of two controllers is enough.
  answers = !state.said.ping.timed_out && state.said.ping.output.find(" is UP") != std::string::npos;
  if (!answers && !state.is_wanted)
    return {skipped("slurm", "Slurm", "is not here, or does not answer; no profile that needs it was named")};
  Checks checks = {judge_programs(state)};
  if (!answers) {
    const Answer& ping = state.said.ping;
    bool says_so = ping.output.find(" is DOWN") != std::string::npos;
    std::string why = says_so ? "its controller does not answer: " + std::string(trim(ping.output))
                              : "scontrol ping " + trouble_of(ping, state.limit);
    if (checks.front().state == State::wrong && ping.missing) return checks;
    checks.push_back(wrong("slurm.answer", "Slurm", printable(why, 400),
                           "scontrol ping, until it answers; or tell the site"));
    return checks;
  }
  checks.push_back(judge_version(state.said.version));
  checks.push_back(ok("slurm.answer", "Slurm", "its controller answers"));
  checks.push_back(judge_queue(state));
  checks.push_back(judge_database(state, parse_slurm_config(state.said.config.output)));
  if (state.is_wanted) checks.push_back(judge_variables(state));
  return checks;
}

std::string first_submission(std::string_view rendered) {
  std::size_t quote = rendered.find("<<'");
  if (quote == rendered.npos) return std::string(rendered);
  std::string_view word = rendered.substr(quote + 3);
  word = word.substr(0, word.find('\''));
  std::size_t end = rendered.find("\n" + std::string(word) + "\n");
  return std::string(end == rendered.npos ? rendered : rendered.substr(0, end + word.size() + 2));
}

Check not_tested() {
  return skipped("slurm.test", std::string(test_of_script),
                 "no profile can be launched before the files of profiles are mended");
}

Check judge_test(const std::string& profile, const Answer& answer, std::chrono::milliseconds limit) {
  std::string what(test_of_script);
  std::string said(trim(answer.errors + "\n" + answer.output));
  if (answer.timed_out || answer.missing || !answer.unstarted.empty())
    return wrong("slurm.test", what, trouble_of(answer, limit), "try again later");
  if (answer.ends_early)
    return wrong("slurm.test", what,
                 "there is no script: " + printable(without("tenkai launch: ", said), 500),
                 "change what it names in the profile");
  // A site's own words may begin with "error:", too.
  bool is_refused = said.find("allocation failure") != said.npos;
  if (answer.is_good() && !is_refused) {
    std::size_t start = said.find("to start at ");
    std::string when =
        start == said.npos ? "" : said.substr(start, std::string("to start at YYYY-MM-DDTHH:MM:SS").size());
    return ok("slurm.test", what, "it would be taken" + (when.empty() ? "" : ", " + when));
  }
  std::vector<std::string> lines;
  for (std::string_view line : split(said, '\n')) {
    line = trim(line);
    if (!line.empty()) lines.emplace_back(without("sbatch: error: ", line));
  }
  return wrong("slurm.test", what, "Slurm refuses it: " + printable(join(lines, "; "), 500),
               "change what it names in the profile; tenkai launch --dry-run --profile " +
                   shell_quote(profile) + " shows the script");
}

}  // namespace tenkai::doctor
