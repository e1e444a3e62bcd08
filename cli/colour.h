// Whether a command colours what it prints: decided here for all of them.
#pragma once

#include <functional>
#include <string_view>

namespace CLI {
class App;
}

namespace tenkai {

// `choice` is auto, always or never. With auto it is for terminals that know colours, and for
// whom has not set NO_COLOR; both variables are null where they are not set.
bool is_coloured(std::string_view choice, bool is_terminal, const char* term, const char* no_color);

// Gives the command --color. Once it is parsed, this says whether standard output gets colours.
std::function<bool()> add_colour_option(CLI::App& command);

}  // namespace tenkai
