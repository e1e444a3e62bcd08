// Where templates are.
#pragma once

#include <string>

#include "base/result.h"

namespace tenkai {

struct FoundTemplate {
  std::string path;  // for people; not one of a file where it is part of the program
  std::string text;
};

// A template. A name with a '/' is a path ("~/" is the home). Others are looked for in
// ~/.config/tenkai/templates, in /etc/tenkai/templates and among those that were installed
// with the program at `program` (its own path, /proc/self/exe); ours are part of it, too.
// Not in the working directory: another user may have put it there. Refuses a file that
// others can change.
Result<FoundTemplate> find_template(const std::string& name, const std::string& program);

}  // namespace tenkai
