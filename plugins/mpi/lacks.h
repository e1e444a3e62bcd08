// What this plugin cannot do without, and does not find here.
#pragma once

#include <string>

#include "launcher/plugin/facts.h"

namespace tenkai::mpi {

PluginLacks lacks();

// The path of tenkai-mpi-spawn, which is installed with this program.
std::string spawn_program();

}  // namespace tenkai::mpi
