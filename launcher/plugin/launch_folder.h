// Where credentials lie in files, for commands that can bring nothing else along:
// ~/.cache/tenkai/launch-HOST-PID-RANDOM (or below $XDG_CACHE_HOME), mode 0700. A
// home is the one place that all nodes of a cluster are likely to see.
#pragma once

#include <string>

#include "base/result.h"

namespace tenkai {

// Makes a new one for this process, with folders for status files and logs. Removes, too, the
// folders of processes of this host that were killed before they could do so.
Result<std::string> make_launch_folder();

// The folder in which it will be made, for commands that are only shown.
std::string usual_launch_folder();

// Removes the folder with all that is in it. For up to 100 ms again and again, while jobs that are
// being ended still write to it.
void remove_launch_folder(const std::string& folder);

}  // namespace tenkai
