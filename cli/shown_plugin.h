// Launcher plugins as people, and as programs, read of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/plugin/facts.h"

namespace tenkai {

struct ShownPlugin {
  std::string name;
  std::vector<std::string> command;  // that runs it
  std::optional<PluginFacts> facts;  // what it says of itself, if it does
};

// "ready", "limited": not all of it can be done, "unusable", "other version"; or "found", of one
// that says nothing of itself.
std::string state_of(const ShownPlugin& plugin);

std::string table_of(const std::vector<ShownPlugin>& plugins);
// {"plugins":[…]}, with a line end.
std::string json_of(const std::vector<ShownPlugin>& plugins);

}  // namespace tenkai
