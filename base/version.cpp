#include "base/version.h"

namespace tenkai {

// By itself in this file, so that another version of a program is made by compiling no other.
constinit const std::string_view program_version = TENKAI_VERSION;

}  // namespace tenkai
