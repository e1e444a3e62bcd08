#include "launcher/launch/launch_prospects.h"

#include <algorithm>
#include <string>

#include "launcher/launch/launch_words.h"

namespace tenkai {
namespace {

bool is_over(const LaunchInSight& seen) {
  LaunchState state = seen.launch->state();
  return state == LaunchState::failed || state == LaunchState::gone;
}

// An agent that is there starts its R again.
bool brings(const LaunchInSight& seen) {
  return !is_over(seen) && (!seen.by_hand || seen.launch->joined() > 0);
}

std::string how_it_ended(const LaunchInSight& seen) {
  const Launch& launch = *seen.launch;
  std::string text = "launch " + std::to_string(launch.number()) + " (" + daemons_of(launch) + ", by " +
                     std::string(seen.plugin) + ") ";
  return text +
         (launch.state() == LaunchState::failed ? "has failed: " + launch.failure().message : "is over");
}

}  // namespace

// Asked at each change of each launch, of which thousands may have failed: only one text is made.
Prospects prospects_of(const std::vector<LaunchInSight>& launches, bool spare) {
  using Kind = Prospects::Kind;
  if (std::any_of(launches.begin(), launches.end(), brings)) return {Kind::coming, {}};
  if (!std::all_of(launches.begin(), launches.end(), is_over)) return {};
  if (!launches.empty()) return {Kind::none, how_it_ended(launches.back())};
  if (!spare) return {};
  return {Kind::none, "none could be launched"};
}

}  // namespace tenkai
