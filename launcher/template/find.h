// Where templates are.
#pragma once

#include <string>

#include "base/result.h"

namespace tenkai {

// The path of a template. A name with a '/' is a path ("~/" is the home). Others are
// looked for in ~/.config/tenkai/templates, in /etc/tenkai/templates and among those
// that were installed with the program at `program` (its own path, /proc/self/exe).
// Not in the working directory: another user may have put it there.
Result<std::string> find_template(const std::string& name, const std::string& program);

// Its text. Refuses a file that others can change.
Result<std::string> read_template(const std::string& path);

}  // namespace tenkai
