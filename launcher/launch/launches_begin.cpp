// How a launch begins: its credential, its launch manifest, and the call of its plugin.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random_hex.h"
#include "launcher/launch/launches.h"
#include "launcher/plugin/plugin_process.h"
#include "wire/private_file.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

// A batch system may be slow to take a job: sbatch has 60 s, and may have to be asked
// again, or later.
constexpr std::chrono::seconds start_limit{180};
// How often a batch system may start each agent of a job (it is requeued).
constexpr std::uint32_t job_starts = 4;

}  // namespace

// With a credential, and where that is to be found.
Result<Launches::BatchPtr> Launches::enter(const LaunchPlan& plan, const LaunchPlan::Part& part,
                                           const LaunchRequest& request) {
  // An agent is there as long as its daemons; any other command may be a batch system's.
  bool hands_on = plan.form == LaunchPlan::Form::daemon;
  auto batch = std::make_shared<Batch>();
  batch->plugin = plan.plugin;
  batch->is_job = plan.chunk.has_value();
  batch->request = request;
  Result<Done> made = make_manifest(plan, part, *batch);
  if (!made) {
    let_go_of_credential(*batch);
    return made.error();
  }
  std::size_t chunk = request.chunk == 0 ? part.slots.size() : request.chunk;
  for (std::size_t i = 0; i < request.agents; ++i) {
    std::vector<std::size_t> slots(
        part.slots.begin() + static_cast<long>(i * chunk),
        part.slots.begin() + static_cast<long>(std::min((i + 1) * chunk, part.slots.size())));
    auto entry = std::make_shared<Entry>(
        Entry{Launch(request.number + i, std::move(slots), plan.rscript, hands_on, now()), batch, plan.plugin,
              batch->grant, plan.by_hand});
    batch->entries.push_back(std::move(entry));
  }
  return batch;
}

Result<Done> Launches::make_manifest(const LaunchPlan& plan, const LaunchPlan::Part& part, Batch& batch) {
  std::uint32_t agents = static_cast<std::uint32_t>(batch.request.agents);
  Result<Issued> issued = dependencies_.credential(part.slots, agents, batch.is_job ? job_starts : 1);
  if (!issued) return issued.error();
  batch.grant = issued->grant;
  SecretText text(0);
  if (!issued->line.empty()) text.text = issued->line + "\n";
  wipe(issued->line);
  if (plan.form == LaunchPlan::Form::agent) text.text += manifest_lines(plan, part, batch.request.urls);
  if (plan.delivery == LaunchPlan::Delivery::stdin_ || text.text.empty()) {
    batch.input = text.text;
    return Done{};
  }
  std::string file = folder_ + "/" + std::to_string(batch.request.number);
  Result<Done> written = write_private_file(file, text.text);
  if (written) batch.file = file;
  return written;
}

void Launches::begin(const BatchPtr& batch) {
  PluginCall call;
  call.verb = PluginCall::Verb::start;
  call.key = random_hex(8);
  call.request = batch->request;
  call.request.input = std::exchange(batch->input, {});
  Result<PluginProcess*> by = plugin(batch->plugin);
  if (!by) {
    PluginAnswer none;
    none.error = PluginError{cause::plugin, by.error().message};
    return on_begun(batch, none);
  }
  (*by)->call(std::move(call), start_limit,
              [this, batch](const PluginAnswer& answer) { on_begun(batch, answer); });
  watch();
}

void Launches::on_begun(const BatchPtr& batch, const PluginAnswer& answer) {
  const std::vector<EntryPtr>& entries = batch->entries;
  std::optional<PluginError> error = answer.error;
  if (!error && answer.jobs.size() != entries.size()) {
    error = PluginError{cause::plugin, "the launcher plugin '" + batch->plugin + "' has started " +
                                           std::to_string(answer.jobs.size()) + " jobs in place of " +
                                           std::to_string(entries.size())};
  }
  if (!error) batch->request.jobs = answer.jobs;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Launch& launch = entries[i]->launch;
    bool changed = error ? launch.on_error(now(), error->cause, error->message)
                         : launch.on_submitted(now(), answer.jobs[i]);
    after_change(entries[i], changed);
    // It was withdrawn while it was being submitted.
    if (!error && launch.has_ended()) cancel(*entries[i]);
    if (!error) poll_later(entries[i], answer.poll_after_ms);
  }
}

void Launches::take_up_again(const BatchPtr& batch) {
  PluginCall call;
  call.verb = PluginCall::Verb::start;
  call.request = batch->request;
  call.request.running = true;
  Result<PluginProcess*> by = plugin(batch->plugin);
  if (!by) return;
  (*by)->call(std::move(call), start_limit, [batch](const PluginAnswer& answer) {
    if (answer.jobs.size() != batch->entries.size()) return;
    for (std::size_t i = 0; i < answer.jobs.size(); ++i) {
      batch->entries[i]->launch.on_submitted(now(), answer.jobs[i]);
    }
  });
}

// It has been used, or nobody will.
void Launches::let_go_of_credential(Batch& batch) {
  if (!batch.file.empty()) ::unlink(std::exchange(batch.file, {}).c_str());
  wipe(batch.input);
  if (batch.grant != 0) dependencies_.revoke(batch.grant);
}

}  // namespace tenkai
