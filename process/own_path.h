// Where this program is, and whether others are there.
#pragma once

#include <string>

namespace tenkai {

// The path of the program that runs; "tenkai" where the kernel does not tell.
std::string own_program();

// Where the programs are that `program` starts and people do not.
std::string helper_folder(const std::string& program);

// Whether a program of this name can be run from a folder of PATH.
bool is_in_path(const std::string& program);

}  // namespace tenkai
