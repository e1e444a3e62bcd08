// Launches that are decided on later: what Scaling decides is done here.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "launcher/launch/launches.h"

namespace tenkai {
namespace {

// Between two looks. Tasks may come and go a hundred thousand times a second; a batch
// system takes seconds for what is decided.
constexpr std::chrono::milliseconds pause{100};

}  // namespace

void Launches::launch_later(const LaunchPlan& plan) {
  std::size_t usual = 0;
  for (const LaunchPlan::Part& part : plan.parts) usual += part.slots.size();
  scaling_.emplace(plan, usual, dependencies_.retries());
  later_ = plan;
  later_.parts.clear();
  later_.spare.reset();
  later_.scale.reset();
  later_.chunk = scaling_->unit_size();
  if (plan.scale) dependencies_.scaled(scaling_->room());
  // At once: those that are always to be there.
  scale();
}

// Called for nearly each task: that must cost nothing.
void Launches::on_load() {
  if (!scaling_ || scales_soon_ || closing_) return;
  scales_soon_ = true;
  scale_at(now() + pause);
}

void Launches::scale_at(LaunchTime when) {
  if (scales_at_ && *scales_at_ <= when) return;
  scales_at_ = when;
  scale_timer_.expires_at(when);
  scale_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled && !closing_) scale();
  });
}

void Launches::scale() {
  scales_at_.reset();
  scales_soon_ = false;
  Scaling::Sight sight{[this](std::uint64_t number) -> const Launch* {
                         auto found = entries_.find(number);
                         return found == entries_.end() ? nullptr : &found->second->launch;
                       },
                       [this](std::size_t slot) { return is_awaited(slot); }};
  Scaling::Decision decision = scaling_->decide(now(), dependencies_.load(scaling_->room()), sight);
  for (const Scaling::UnitLaunch& unit_launch : decision.unit_launches) {
    Result<std::uint64_t> first = launch(unit_launch);
    if (first) scaling_->on_launched(now(), unit_launch, *first);
    else scaling_->on_refused(now(), unit_launch, first.error().message);
    if (!first) on_load();
  }
  if (!decision.dismiss.empty()) dependencies_.dismiss(decision.dismiss);
  for (std::uint64_t number : decision.withdraw) {
    EntryPtr entry = entries_.at(number);
    if (!entry->launch.on_withdrawn(now())) continue;
    cancel(*entry);
    after_change(entry, true);
  }
  for (const auto& [size, why] : decision.unavailable) dependencies_.unavailable(size, why);
  for (const std::string& text : decision.tell) dependencies_.tell(text, {});
  if (decision.look_again) scale_at(*decision.look_again);
  dependencies_.changed();
}

// A launch of somebody else's, for this slot, that may yet bring a daemon.
bool Launches::is_awaited(std::size_t slot) const {
  return std::ranges::any_of(entries_, [slot](const auto& each) {
    const Launch& launch = each.second->launch;
    return launch.is_waited_for() && std::ranges::find(launch.slots(), slot) != launch.slots().end();
  });
}

void Launches::exclude_after(Cause::Kind cause, const std::string& node) {
  if (!scaling_ || node.empty() || dependencies_.retries().exclude_node.count(cause) == 0) return;
  scaling_->exclude(node);
}

// The number of the first of its launches.
Result<std::uint64_t> Launches::launch(const Scaling::UnitLaunch& unit_launch) {
  LaunchRequest request = request_for(later_, unit_launch.part);
  Result<BatchPtr> batch = enter(later_, unit_launch.part, request);
  if (!batch) return batch.error();
  for (const EntryPtr& entry : (*batch)->entries) entries_[entry->launch.number()] = entry;
  batches_.push_back(*batch);
  begin(*batch);
  return request.number;
}

Size Launches::size_of(GrantId grant, std::size_t slot) const {
  if (!scaling_ || grant == 0) return {};
  EntryPtr entry = by_grant(grant, slot);
  return entry ? scaling_->size_of(entry->launch.number()) : Size();
}

}  // namespace tenkai
