// Manual pages, in the macros of man(7), which every reader of such pages knows.
#pragma once

#include <string>
#include <string_view>

#include "cli/shown_command.h"

namespace tenkai {

// tenkai-status(1) of a command of the program, tenkai(1) of the program itself. The commands
// of a command, such as `tenkai profile show`, are on its page.
// `date` is "2026-11-30", or empty.
std::string man_page(const ShownCommand& command, const ShownCommand& program, std::string_view version,
                     std::string_view date);

// "tenkai-status": the name of the page; its file is that with ".1".
std::string man_name(const ShownCommand& command);

}  // namespace tenkai
