// Shell code for job scripts, from the values that templates get: how a job tells of
// itself, and the environment that a profile asks for. Every value in it is quoted.
#pragma once

#include <string>

#include "base/result.h"
#include "launcher/template/template.h"

namespace tenkai {

// The functions `beacon`, `fail` and `run` for bash, and what is said at the end. For
// `launch.beacons`; needs `launch.folder`.
Result<std::string> beacon_script(const TemplateValues& values);

// What `environment.*` and `threads` ask for, the prologue included, and whether R is
// there. For `launch.environment`; calls `beacon` and `fail`.
Result<std::string> environment_script(const TemplateValues& values);

// `values` with both of them.
Result<TemplateValues> with_shell_code(TemplateValues values);

}  // namespace tenkai
