#include "cli/carry_plan.h"

namespace tenkai {
namespace {

constexpr std::size_t usual_elements = 64;  // of an array, where the profile leaves it to us
constexpr const char* by_ssh = "ssh";

std::size_t chunk_of(const Deployment& deployment, std::size_t workers) {
  std::size_t chunk = deployment.chunk.value_or(1);
  return chunk > 0 ? chunk : (workers + usual_elements - 1) / usual_elements;
}

}  // namespace

std::vector<CarriedLaunch> launches_of(const Deployment& deployment,
                                       const std::vector<std::string>& commands) {
  if (deployment.chunk) return carried_launches(commands, chunk_of(deployment, commands.size()));
  WorkersEnd end = deployment.plugin == by_ssh ? WorkersEnd::with_input : WorkersEnd::by_plugin;
  std::vector<CarriedLaunch> launches;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    launches.push_back(carried_launches({commands[i]}, 1, end).front());
    launches.back().first = i;
  }
  return launches;
}

LaunchRequest request_of(const Deployment& deployment, const CarriedLaunch& launch, std::size_t first) {
  LaunchRequest request;
  request.daemons = launch.workers;
  request.command = launch.command;
  request.options = deployment.options;
  if (deployment.chunk) {
    request.agents = launch.elements;
    request.chunk = launch.chunk;
  }
  if (!deployment.each.empty()) {
    const Deployment::Options& machine = deployment.each[first % deployment.each.size()];
    for (const auto& [name, texts] : machine) request.options[name] = texts;
  }
  if (deployment.plugin == by_ssh) request.options["keep-input"] = {"1"};
  return request;
}

}  // namespace tenkai
