// What is said of a word on the command line that no command of ours knows.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace tenkai {

// When parsing has failed: names the first word that was left over, and what is near it. Empty:
// none was left over.
std::string unknown_word(const CLI::App& app);

// The option of a command that is near, "--wait"; empty: none.
std::string nearest_option(const CLI::App& command, const std::string& word);

}  // namespace tenkai
