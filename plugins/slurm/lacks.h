// What this plugin cannot do without, and does not find here.
#pragma once

#include "launcher/plugin/facts.h"

namespace tenkai::slurm {

PluginLacks lacks();

}  // namespace tenkai::slurm
