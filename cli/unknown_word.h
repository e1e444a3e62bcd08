// What is said of a word on the command line that no command of ours knows.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tenkai {

// When parsing has failed, or a command with a rest has been parsed: names the first word that was
// left over, and what is near it. Empty: none was, or it may be.
std::string unknown_word(const CLI::App& app);

}  // namespace tenkai
