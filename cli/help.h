// How --help is laid out.
#pragma once

#include <string>

#include "cli/shown_command.h"

namespace tenkai {

std::string help_of(const ShownCommand& command);

// Before commands are added: they take it from the program.
void set_help(CLI::App& app);

}  // namespace tenkai
