#include "launcher/launch/settle.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "launcher/launch/scaling.h"

namespace tenkai {
namespace {

// How many a profile has, where daemons() does not say it.
Result<std::size_t> number_of(const Deployment& deployment) {
  if (auto daemons = to_number<std::size_t>(deployment.daemons)) return *daemons;
  if (deployment.scale) return deployment.scale->max;
  if (!deployment.each.empty()) return deployment.each.size();
  return Error{
      "the profile '" + deployment.profile +
      "' does not say how many daemons it has: give daemons() their number, or the profile 'daemons:'"};
}

Result<Done> take_url(const Deployment& deployment, Setup& setup) {
  if (!setup.urls.empty() || deployment.url.empty()) return Done{};
  Result<Url> url = parse_url(deployment.url);
  if (!url) return url.error();
  setup.urls.push_back(std::move(*url));
  return Done{};
}

Result<Done> take_retries(const Deployment& deployment, Setup& setup) {
  if (setup.says_retries || deployment.retries.empty()) return Done{};
  Result<Retries> retries = parse_retries(deployment.retries);
  if (!retries) return retries.error();
  setup.retries = std::move(*retries);
  return Done{};
}

// What a profile says of daemons, wherever they are.
Result<Done> take_profile(const Deployment& deployment, Setup& setup) {
  if (!setup.daemons) {
    Result<std::size_t> number = number_of(deployment);
    if (!number) return number.error();
    setup.daemons = *number;
  }
  Result<Done> good = check_cap(deployment, *setup.daemons);
  if (good) good = take_url(deployment, setup);
  if (good) good = take_retries(deployment, setup);
  if (!good) return good;
  // Any number of them connects at the one URL.
  if (!has_slots(setup.policy) && !setup.urls.empty()) setup.daemons = 1;
  setup.daemon.add_missing(deployment.limits);
  if (deployment.memory) setup.daemon_memory = deployment.memory;
  if (std::optional<PortRange> ports = parse_ports(deployment.ports)) {
    setup.first_port = ports->first;
    setup.last_port = ports->last;
  }
  // R of the session, unless the profile names another for this machine.
  if (deployment.plugin.empty() && deployment.rscript != "Rscript" && !deployment.rscript.empty())
    setup.rscript = deployment.rscript;
  return Done{};
}

bool spreads_over_nodes(const Setup& setup, const Allocation& allocation) {
  return setup.local && setup.urls.empty() && has_slots(setup.policy) && setup.daemons.value_or(0) > 0 &&
         allocation.is_there() && allocation.nodes.value_or(1) > 1;
}

// The launcher that the session names, or its profile, or the job that it is in.
Result<std::optional<Deployment>> launcher_of(Setup& setup, const std::optional<Deployment>& profile,
                                              const Allocation& allocation) {
  if (!setup.configuration.empty()) {
    Result<Deployment> said = parse_deployment(setup.configuration);
    if (!said) return said.error();
    // Others launch them.
    return said->plugin.empty() ? std::optional<Deployment>() : std::optional(std::move(*said));
  }
  if (!profile && spreads_over_nodes(setup, allocation)) {
    setup.local = false;
    setup.urls.push_back(*parse_url("wss://:0"));
    return std::optional(spread_over(allocation, *setup.daemons, setup.rscript));
  }
  if (!profile || profile->plugin.empty()) return std::optional<Deployment>();
  std::optional<Deployment> deployment = profile;
  if (deployment->plugin == "slurm" && allocation.is_there()) move_into(allocation, *deployment);
  return deployment;
}

// Slots beyond those of its daemons: for a job that replaces one before it ends, and for larger ones.
void add_spare(const Deployment& profile, Setup& setup, LaunchSession& session) {
  session.scale = profile.scale;
  session.spare = Scaling::spare_slots(*setup.daemons, session.scale, setup.retries.factors);
  if (session.spare == 0) session.scale.reset();
  if (session.scale) {
    session.scale->max = *setup.daemons;
    session.scale->min = std::min(session.scale->min, *setup.daemons);
  }
  setup.spare = session.spare;
}

}  // namespace

Result<LaunchSession> settle(Setup& setup, const Allocation& allocation, const FindDeployment& find,
                             std::vector<std::string>& warnings) {
  LaunchSession session;
  session.profile = setup.profile;
  std::optional<Deployment> profile;
  if (!setup.deploy.empty()) {
    Result<Deployment> found = find(setup.deploy);
    if (!found) return found.error();
    Result<Done> taken = take_profile(*found, setup);
    if (!taken) return taken.error();
    warnings = found->warnings;
    profile = std::move(*found);
  }
  Result<std::optional<Deployment>> launcher = launcher_of(setup, profile, allocation);
  if (!launcher) return launcher.error();
  session.deployment = std::move(*launcher);
  bool has_remote = session.deployment || !setup.configuration.empty();
  if (profile) setup.local = setup.urls.empty() || (!has_remote && profile->here);
  session.daemon = setup.daemon;
  if (has_remote && setup.urls.empty())
    return Error{"'remote' needs a 'url' at which the daemons connect, such as host_url(tls = TRUE)"};
  if (!session.deployment) return session;
  const Deployment& deployment = *session.deployment;
  if (!setup.daemons && has_slots(setup.policy))
    setup.daemons = std::max({setup.urls.size(), deployment.each.size(), std::size_t{1}});
  setup.launches = true;
  setup.steps = is_within_allocation(deployment);
  if (profile && setup.steps) {
    std::string crowded = crowding(deployment, *setup.daemons, allocation);
    if (!crowded.empty()) warnings.push_back(crowded);
  }
  if (profile && !setup.steps && has_slots(setup.policy)) add_spare(*profile, setup, session);
  return session;
}

}  // namespace tenkai
