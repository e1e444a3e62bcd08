// What a file of /proc or of control groups says.
#pragma once

#include <string>

namespace tenkai {

// All of it; empty where it cannot be read.
std::string read_proc_file(const std::string& path);

}  // namespace tenkai
