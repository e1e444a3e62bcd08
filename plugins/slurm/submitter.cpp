#include "plugins/slurm/submitter.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/counted.h"
#include "base/text.h"
#include "launcher/template/check.h"
#include "launcher/template/environment.h"
#include "launcher/template/find.h"
#include "plugins/slurm/job_folder.h"
#include "process/own_path.h"

namespace tenkai::slurm {
namespace {

using std::chrono::seconds;

constexpr seconds sbatch_limit{60};
// Longer than this nobody waits for a turn.
constexpr seconds max_wait{60};

SlurmOutcome refused(std::string why) {
  SlurmOutcome outcome;
  outcome.exit_code = 1;
  outcome.errors = std::move(why);
  return outcome;
}

}  // namespace

Result<NamedTemplate> template_of(const LaunchRequest& request) {
  // A template of a profile's is one for its daemons.
  if (is_run(request)) return named_template("slurm-run.sbatch");
  std::string usual = has_ranks(request) ? "slurm-nodes.sbatch" : "slurm.sbatch";
  Result<NamedTemplate> found = named_template(request.option("slurm.template", usual));
  if (!found) return found;
  Result<Done> checked = check_daemon_template(found->name, found->text);
  if (!checked) return checked.error();
  return found;
}

Result<NamedTemplate> named_template(const std::string& name) {
  Result<FoundTemplate> found = find_template(name, own_program());
  if (!found) return found.error();
  return NamedTemplate{name, std::move(found->text)};
}

Result<JobScript> job_script(const LaunchRequest& request, const NamedTemplate& with,
                             const Submission& submission, const std::string& folder) {
  Result<TemplateValues> values =
      with_shell_code(script_values(request, submission.batch(), submission.array(), folder));
  if (!values) return values.error();
  return render_template(with.name, with.text, *values);
}

struct Submitter::Going {
  LaunchRequest request;
  std::vector<std::string> excluded;
  NamedTemplate with;
  Submission submission;
  OnDone done;
  asio::steady_timer timer;
};

Submitter::Submitter(asio::any_io_executor executor, SlurmPrograms& programs, QueuePoller& poller)
    : executor_(executor),
      programs_(programs),
      poller_(poller),
      site_(own_site_options()),
      own_job_(leave_own_job()) {}

Result<Done> Submitter::submit(const LaunchRequest& request, const std::vector<std::string>& excluded,
                               OnDone done) {
  Result<NamedTemplate> with = template_of(request);
  if (!with) return with.error();
  std::size_t elements = is_one_job(request) ? 0 : elements_;
  Submission submission(job_tag_of(request), request.agents, elements, own_job_);
  Result<Done> made = JobFolder(request.folder, logs_of(request, request.folder)).prepare();
  if (!made) return made.error();
  auto going = std::make_shared<Going>(Going{request, excluded, std::move(*with), std::move(submission),
                                             std::move(done), asio::steady_timer(executor_)});
  if (tag_place_of(request) == TagPlace::comment) poller_.use_comments();
  Result<std::vector<std::string>> argv = prepare(*going);
  if (!argv) return argv.error();
  going_.insert(going);
  step(going);
  return Done{};
}

// Renders, and writes the script.
Result<std::vector<std::string>> Submitter::prepare(Going& going) {
  Submission& submission = going.submission;
  Result<JobScript> script = job_script(going.request, going.with, submission, going.request.folder);
  if (!script) return script.error();
  submission.set_clusters(clusters_of(*script, site_));
  std::string first = submission.batch().first == 0 ? "" : "r" + std::to_string(submission.batch().first);
  JobFolder folder(going.request.folder);
  Result<std::string> path = folder.write_script(std::to_string(going.request.number) + first, script->text);
  if (!path) return path.error();
  return sbatch_argv(going.request, submission.batch(), submission.array(), *script, going.excluded, *path,
                     site_);
}

std::string Submitter::clusters_for(const LaunchRequest& request) const {
  Result<NamedTemplate> with = template_of(request);
  if (!with) return {};
  Submission submission(job_tag_of(request), request.agents, is_one_job(request) ? 0 : elements_, own_job_);
  Result<JobScript> script = job_script(request, *with, submission, request.folder);
  return script ? clusters_of(*script, site_) : std::string();
}

void Submitter::close() {
  closed_ = true;
  for (const GoingPtr& going : going_) going->timer.cancel();
}

void Submitter::step(const GoingPtr& going) {
  Submission& submission = going->submission;
  Submission::Step next = submission.next();
  bool is_over = next.what == Submission::What::done || next.what == Submission::What::failed || closed_;
  if (is_over) {
    going_.erase(going);
    if (submission.elements() != 0) elements_ = std::min(elements_, submission.elements());
    return going->done(submission);
  }
  if (next.what == Submission::What::wait) return wait(going, next.pause);
  if (next.what == Submission::What::submit) return run(going);
  poller_.look_up(submission.batch().job_tag, submission.clusters(),
                  [this, going](bool answered, const std::optional<SubmittedJob>& job) {
                    going->submission.on_looked_up(answered, job);
                    step(going);
                  });
}

void Submitter::wait(const GoingPtr& going, std::chrono::steady_clock::duration pause) {
  going->timer.expires_after(pause);
  going->timer.async_wait([this, going](boost::system::error_code) { step(going); });
}

void Submitter::run(const GoingPtr& going) {
  std::size_t cap = to_number<std::size_t>(going->request.option("caps.submissions-per-minute")).value_or(0);
  SlurmTime turn = times_.next(now(), cap);
  if (turn - now() > max_wait) {
    going->submission.on_submitted(refused("this site allows " + counted(cap, "submission") +
                                           " in a minute, and others wait already; launch more "
                                           "daemons at once, or later"));
    return step(going);
  }
  if (turn > now()) return wait(going, turn - now());
  Result<std::vector<std::string>> argv = prepare(*going);
  if (!argv) {
    going->submission.on_submitted(refused(argv.error().message));
    return step(going);
  }
  times_.take(now());
  programs_.run(SlurmPrograms::Kind::submission, std::move(*argv), sbatch_limit,
                [this, going](const SlurmOutcome& outcome) {
                  going->submission.on_submitted(outcome);
                  step(going);
                });
}

}  // namespace tenkai::slurm
