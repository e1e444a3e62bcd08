// What this plugin cannot do without, and does not find here.
#pragma once

#include "launcher/plugin/facts.h"

namespace tenkai::ssh {

PluginLacks lacks();

}  // namespace tenkai::ssh
