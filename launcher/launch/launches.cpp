#include "launcher/launch/launches.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/lines.h"
#include "base/random_hex.h"
#include "base/text.h"
#include "launcher/launch/launch_prospects.h"
#include "launcher/launch/launch_words.h"
#include "launcher/plugin/environment_command.h"
#include "launcher/plugin/launch_folder.h"
#include "launcher/profile/find.h"
#include "process/own_path.h"
#include "wire/secret.h"

namespace tenkai {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds render_limit{10};
// A batch system may be slow to take a job.
constexpr seconds answer_limit{90};
constexpr seconds cancel_limit{10};
// Failures that come together are told together.
constexpr milliseconds tell_pause{300};
// Launches that are over and still shown by status().
constexpr std::size_t max_over = 1000;

// A URL without host is listened at on every interface; to others it has our name.
Url as_seen_from_elsewhere(Url url) {
  if (!is_network(url) || !url.host.empty()) return url;
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) == 0) url.host = name;
  return url;
}

}  // namespace

std::unique_ptr<LauncherInterface> open_launches(LauncherInterface::Dependencies dependencies) {
  return std::make_unique<Launches>(std::move(dependencies));
}

Launches::Launches(Dependencies dependencies)
    : dependencies_(std::move(dependencies)),
      self_(own_program()),
      session_(random_hex(4)),
      tell_timer_(dependencies_.executor),
      watch_timer_(dependencies_.executor),
      scale_timer_(dependencies_.executor) {}

Result<PluginProcess*> Launches::plugin(const std::string& name) {
  auto known = plugins_.find(name);
  if (known != plugins_.end()) return known->second.get();
  Result<std::vector<std::string>> command = find_plugin(name, self_, std::getenv("TENKAI_PLUGINS"));
  if (!command) return command.error();
  PluginProcess::Callbacks callbacks{[this, name](const JobReport& news) { on_news(name, news); },
                                     [this, name](const std::string& why_not) { on_died(name, why_not); }};
  auto made = std::make_unique<PluginProcess>(dependencies_.executor, name, *command, std::move(callbacks));
  return (plugins_[name] = std::move(made)).get();
}

// --- asked for ---

Result<Done> Launches::settle(Setup& setup, std::vector<std::string>& warnings) {
  Result<LaunchSession> settled = tenkai::settle(setup, find_allocation(), find_deployment, warnings);
  if (!settled) return settled.error();
  launch_session_ = std::move(*settled);
  return Done{};
}

// Everything that can be wrong is found before anything is begun.
struct Launches::Rendering {
  LaunchPlan plan;
  std::vector<std::shared_ptr<LaunchRequest>> requests;
  std::vector<std::string> texts;
  std::size_t waits_for = 0;
  std::string problem;
};

void Launches::on_request(std::string_view payload, Reply reply) {
  const std::vector<Url>& urls = dependencies_.urls();
  Result<LaunchArguments> arguments = parse_launch_arguments(payload, urls.size());
  if (!arguments) return reply(arguments.error());
  auto streams = [&](std::size_t count) { return dependencies_.streams(count, !arguments->dry); };
  Result<LaunchPlan> plan = make_plan(*arguments, launch_session_, urls, streams);
  if (!plan) return reply(plan.error());
  if (plan->spare) {
    if (scaling_) return reply(Error{"this dispatcher launches daemons by itself already"});
    std::string problem = Scaling::problem(*plan, dependencies_.retries());
    if (!problem.empty()) return reply(Error{problem});
  }
  Result<PluginProcess*> by = plugin(plan->plugin);
  if (!by) return reply(by.error());
  if (plan->delivery == LaunchPlan::Delivery::file && !plan->dry && folder_.empty()) {
    Result<std::string> made = make_launch_folder();
    if (!made) return reply(made.error());
    folder_ = *made;
  }
  auto rendering = std::make_shared<Rendering>();
  rendering->plan = std::move(*plan);
  std::size_t count = rendering->plan.parts.size() + (rendering->plan.spare ? 1 : 0);
  rendering->texts.resize(count);
  rendering->waits_for = count;
  for (const LaunchPlan::Part& part : rendering->plan.parts) {
    auto request = std::make_shared<LaunchRequest>(request_for(rendering->plan, part));
    // A batch system's script sets it up itself.
    if (!rendering->plan.chunk) {
      Result<std::vector<std::string>> command = in_environment(request->command, *request);
      if (!command) return reply(command.error());
      request->command = std::move(*command);
    }
    rendering->requests.push_back(std::move(request));
  }
  // What is launched later is rendered now: it is too late then to learn that it cannot be.
  if (rendering->plan.spare) {
    std::uint64_t last = last_;
    rendering->requests.push_back(
        std::make_shared<LaunchRequest>(request_for(rendering->plan, *rendering->plan.spare)));
    last_ = last;
  }
  for (std::size_t i = 0; i < count; ++i) {
    PluginCall call;
    call.verb = PluginCall::Verb::render;
    call.request = *rendering->requests[i];
    (*by)->call(std::move(call), render_limit, [this, rendering, i, reply](const PluginAnswer& answer) {
      if (answer.error) rendering->problem = answer.error->message;
      if (answer.rendered) rendering->texts[i] = answer.rendered->text;
      if (--rendering->waits_for == 0) on_rendered(*rendering, reply);
    });
  }
}

LaunchRequest Launches::request_for(const LaunchPlan& plan, const LaunchPlan::Part& part) {
  LaunchRequest request;
  request.number = ++last_;
  request.profile = plan.profile;
  request.daemons = part.slots.size();
  request.session = session_;
  request.folder = folder_;
  if (std::optional<std::size_t> chunk = chunk_of(plan, part)) {
    request.chunk = *chunk;
    request.agents = (part.slots.size() + *chunk - 1) / *chunk;
    last_ += request.agents - 1;
  }
  for (std::size_t slot : part.slots)
    request.urls.push_back(to_string(as_seen_from_elsewhere(dependencies_.urls()[slot])));
  bool by_file =
      plan.delivery == LaunchPlan::Delivery::file && is_network(dependencies_.urls()[part.slots.front()]);
  std::string folder = "@" + (folder_.empty() ? usual_launch_folder() : folder_);
  std::string place = by_file ? folder + "/" + std::to_string(request.number) : "stdin";
  request.command = command_of(plan, part, request.urls, place);
  request.options = part.options;
  // Those of batch systems are started on machines that mostly have what this one has.
  if (plan.chunk) request.agent = agent_command(plan, part, self_, place);
  request.stays = plan.at_end == Autoexit::stay;
  request.finishes = plan.at_end == Autoexit::finish;
  return request;
}

void Launches::on_rendered(Rendering& rendering, const Reply& reply) {
  if (closing_) return reply(Error{"the session has ended"});
  if (!rendering.problem.empty()) return reply(Error{rendering.problem});
  std::string lines;
  std::vector<BatchPtr> begun;
  for (std::size_t i = 0; i < rendering.plan.parts.size(); ++i) {
    const LaunchRequest& request = *rendering.requests[i];
    const LaunchPlan::Part& part = rendering.plan.parts[i];
    std::vector<std::string> slots;
    for (std::size_t slot : part.slots) slots.push_back(std::to_string(slot + 1));
    std::size_t chunk = request.chunk == 0 ? part.slots.size() : request.chunk;
    lines +=
        row_of({std::to_string(request.number), rendering.texts[i], join(slots, ","), std::to_string(chunk)});
    if (rendering.plan.dry) continue;
    Result<BatchPtr> batch = enter(rendering.plan, rendering.plan.parts[i], request);
    if (!batch) {
      for (const BatchPtr& each : begun) let_go_of_credential(*each);
      return reply(batch.error());
    }
    begun.push_back(*batch);
  }
  for (const BatchPtr& batch : begun) {
    for (const EntryPtr& entry : batch->entries) entries_[entry->launch.number()] = entry;
    batches_.push_back(batch);
    if (!rendering.plan.by_hand) begin(batch);
  }
  if (rendering.plan.spare && !rendering.plan.dry) launch_later(rendering.plan);
  dependencies_.changed();
  reply(lines);
}

// --- what becomes of them ---

Launches::EntryPtr Launches::by_job(const std::string& plugin, const std::string& job) const {
  // A name that is given again belongs to the last one.
  for (auto each = entries_.rbegin(); each != entries_.rend(); ++each) {
    const EntryPtr& entry = each->second;
    if (entry->plugin == plugin && entry->launch.job() == job) return entry;
  }
  return nullptr;
}

Launches::EntryPtr Launches::by_grant(GrantId grant, std::size_t slot) const {
  for (const BatchPtr& batch : batches_) {
    if (batch->grant != grant) continue;
    if (batch->entries.size() == 1) return batch->entries.front();
    for (const EntryPtr& entry : batch->entries) {
      const std::vector<std::size_t>& slots = entry->launch.slots();
      if (std::find(slots.begin(), slots.end(), slot) != slots.end()) return entry;
    }
  }
  return nullptr;
}

// The last launch for a slot of this machine, where no credential tells whose daemon
// it is: that may yet bring one, or that has brought some.
Launches::EntryPtr Launches::without_grant(std::size_t slot, bool has_joined) const {
  for (auto each = entries_.rbegin(); each != entries_.rend(); ++each) {
    const EntryPtr& entry = each->second;
    const std::vector<std::size_t>& slots = entry->launch.slots();
    bool is_for_it = entry->grant == 0 && std::find(slots.begin(), slots.end(), slot) != slots.end();
    std::size_t joined = entry->launch.joined();
    bool may_bring = joined < slots.size() && !entry->launch.has_ended();
    if (is_for_it && (has_joined ? joined > 0 : may_bring)) return entry;
  }
  return nullptr;
}

void Launches::on_news(const std::string& plugin, const JobReport& news) {
  if (!news.note.empty())
    spdlog::info("{}, job {}: {}", plugin, printable(news.job, 60), printable(news.note));
  EntryPtr entry = by_job(plugin, news.job);
  if (entry) take(entry, news);
}

void Launches::take(const EntryPtr& entry, const JobReport& report) {
  bool had_daemons = entry->launch.joined() > 0;
  // What ran there is gone before the launch can wait again.
  bool is_back = report.state == JobState::pending;
  if (!is_back) after_change(entry, entry->launch.on_report(now(), report));
  std::optional<Cause> cause = cause_of_end(report);
  if (cause) exclude_after(cause->kind, entry->launch.where());
  bool is_over = is_back || entry->launch.has_ended();
  if (had_daemons && is_over && cause) dependencies_.over(entry->grant, entry->launch.slots(), *cause);
  if (is_back) after_change(entry, entry->launch.on_report(now(), report));
  if (report.stuck) on_stuck(entry);
  bool was_suspended = std::exchange(entry->suspended, report.suspended);
  if (was_suspended || report.suspended)
    dependencies_.suspended(entry->grant, entry->launch.slots(), report.suspended);
}

// For plugins that cannot tell news by themselves.
void Launches::poll_later(const EntryPtr& entry, std::optional<int> after_ms) {
  if (!after_ms || closing_) return;
  auto timer =
      std::make_shared<asio::steady_timer>(dependencies_.executor, milliseconds(std::max(*after_ms, 100)));
  timer->async_wait([this, entry, timer](boost::system::error_code cancelled) {
    if (!cancelled && !closing_) poll(entry);
  });
}

void Launches::poll(const EntryPtr& entry) {
  Result<PluginProcess*> by = plugin(entry->plugin);
  if (!by || entry->launch.has_ended() || entry->launch.job().empty()) {
    entry->asked = false;
    return;
  }
  PluginCall call;
  call.verb = PluginCall::Verb::poll;
  call.job = entry->launch.job();
  (*by)->call(std::move(call), answer_limit, [this, entry](const PluginAnswer& answer) {
    entry->asked = false;
    if (!answer.report || closing_) return;
    take(entry, *answer.report);
    poll_later(entry, answer.report->poll_after_ms);
  });
}

void Launches::on_joined(GrantId grant, std::size_t slot) {
  EntryPtr entry = grant == 0 ? without_grant(slot, false) : by_grant(grant, slot);
  if (entry) after_change(entry, entry->launch.on_daemon_joined(now()));
}

void Launches::on_left(GrantId grant, std::size_t slot, Cause::Kind why) {
  EntryPtr entry = grant == 0 ? without_grant(slot, true) : by_grant(grant, slot);
  if (entry) exclude_after(why, entry->launch.where());
  if (!entry || !entry->launch.on_daemon_left(now())) return;
  after_change(entry, true);
  // A plugin that has taken the launch up from one that died holds its tunnel, and
  // does not see its command end.
  cancel(*entry);
}

void Launches::on_away(GrantId grant, std::size_t slot) {
  EntryPtr entry = grant == 0 ? nullptr : by_grant(grant, slot);
  BatchPtr batch = entry ? entry->batch.lock() : nullptr;
  if (!batch || !batch->is_job || closing_ || std::exchange(entry->asked, true)) return;
  poll(entry);
}

std::string Launches::place_of(GrantId grant, std::size_t slot) const {
  EntryPtr entry = grant == 0 ? nullptr : by_grant(grant, slot);
  BatchPtr batch = entry ? entry->batch.lock() : nullptr;
  if (!batch || !batch->is_job || entry->launch.job().empty()) return {};
  std::string where = entry->launch.where();
  return "job " + printable(entry->launch.job(), 60) + (where.empty() ? "" : " on " + printable(where, 60));
}

void Launches::cancel(const Entry& entry) {
  Result<PluginProcess*> by = plugin(entry.plugin);
  if (!by || entry.launch.job().empty()) return;
  PluginCall call;
  call.verb = PluginCall::Verb::cancel;
  call.job = entry.launch.job();
  (*by)->call(std::move(call), cancel_limit, [](const PluginAnswer&) {});
}

// What a plugin held is gone with it. Those of its launches that need something of
// it (a tunnel, or somebody who follows their job) get it again from the next one; the
// others have lost nothing.
void Launches::on_died(const std::string& plugin, const std::string& why_not) {
  if (closing_) return;
  for (const BatchPtr& batch : std::vector(batches_)) {
    if (batch->plugin != plugin) continue;
    bool goes_on = batch->is_job && !batch->request.jobs.empty() && why_not.empty();
    bool is_wanted = false;
    for (const EntryPtr& entry : batch->entries) {
      bool waits = entry->launch.is_waited_for() && entry->launch.joined() == 0;
      if (waits && !goes_on) {
        std::string why =
            why_not.empty() ? "the launcher plugin '" + plugin + "' has died meanwhile" : why_not;
        after_change(entry, entry->launch.on_error(now(), cause::plugin, why));
      }
      is_wanted = is_wanted || entry->launch.joined() > 0 || (waits && goes_on);
      if (!goes_on) entry->launch.on_plugin_lost();
    }
    if (why_not.empty() && is_wanted) take_up_again(batch);
  }
}

void Launches::after_change(const EntryPtr& entry, bool changed) {
  if (!changed) return;
  on_load();
  const Launch& launch = entry->launch;
  spdlog::info("launch {} is {} {}", launch.number(), name_of(launch.state()), printable(launch.detail()));
  if (launch.state() == LaunchState::failed) {
    untold_.push_back(launch.number());
    tell_soon();
  }
  if (!given_up_.empty()) tell_soon();
  if (launch.state() == LaunchState::joined) full_.on_joined(launch);
  BatchPtr batch = entry->batch.lock();
  bool used = batch && !batch->is_job && launch.state() == LaunchState::joined;
  if (batch && (used || std::all_of(batch->entries.begin(), batch->entries.end(),
                                    [](const EntryPtr& each) { return is_over(*each); }))) {
    let_go_of_credential(*batch);
  }
  forget_old();
  dependencies_.changed();
}

// Scale launches what is missing.
Prospects Launches::prospects() const {
  if (scaling_ && scaling_->is_scaling()) return {Prospects::Kind::coming, {}};
  std::vector<LaunchInSight> launches;
  launches.reserve(entries_.size());
  for (const auto& [number, entry] : entries_)
    launches.push_back({&entry->launch, entry->plugin, entry->by_hand});
  return prospects_of(launches, scaling_.has_value());
}

void Launches::tell_soon() {
  tell_timer_.expires_after(tell_pause);
  tell_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    tell_failures();
    tell_given_up();
    tell_stuck();
  });
}

bool Launches::is_over(const Entry& entry) {
  LaunchState state = entry.launch.state();
  return state == LaunchState::gone || (state == LaunchState::failed && entry.launch.has_ended());
}

void Launches::forget_old() {
  std::vector<std::uint64_t> over;
  for (const auto& [number, entry] : entries_) {
    LaunchState state = entry->launch.state();
    if (state == LaunchState::failed || state == LaunchState::gone) over.push_back(number);
  }
  for (std::size_t i = 0; i + max_over < over.size(); ++i) entries_.erase(over[i]);
  std::erase_if(batches_, [this](const BatchPtr& batch) {
    return std::none_of(batch->entries.begin(), batch->entries.end(), [this](const EntryPtr& entry) {
      return entries_.count(entry->launch.number()) != 0;
    });
  });
}

void Launches::close(std::function<void()> done) {
  closing_ = true;
  tell_timer_.cancel();
  watch_timer_.cancel();
  scale_timer_.cancel();
  for (const BatchPtr& batch : batches_) let_go_of_credential(*batch);
  // What stays goes on writing there, and the next session clears it away.
  bool stays = std::any_of(batches_.begin(), batches_.end(),
                           [](const BatchPtr& batch) { return batch->is_job && batch->request.stays; });
  auto finish = [this, stays, done = std::move(done)] {
    if (!folder_.empty() && !stays) remove_launch_folder(folder_);
    done();
  };
  auto left = std::make_shared<std::size_t>(plugins_.size());
  if (*left == 0) return finish();
  for (const auto& [name, plugin] : plugins_) {
    plugin->close([left, finish] {
      if (--*left == 0) finish();
    });
  }
}

}  // namespace tenkai
