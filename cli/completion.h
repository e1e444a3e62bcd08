// Scripts with which a shell completes what somebody types.
//
// What a value is, its name says: after `--profile PROFILE` come the names of profiles, after
// `--tls FILE` files. What only the moment knows, `tenkai values KIND` prints, a line each: the
// value, a tab, and what it is.
#pragma once

#include <string>
#include <vector>

#include "cli/shown_command.h"

namespace tenkai {

struct CompletedValue {
  // Where there is no kind, nothing is known of it.
  enum class Kind { nothing, choices, asked, files, folders, programs };
  Kind kind = Kind::nothing;
  std::vector<std::string> choices;
  std::string asked;  // the kind that `tenkai values` is asked for
};

CompletedValue completed_value(const ShownOption& option);
// The same for what follows the options: "SCRIPT", "COMMAND...".
CompletedValue completed_value(const std::string& name);

std::string bash_completion(const ShownCommand& program);
std::string zsh_completion(const ShownCommand& program);
std::string fish_completion(const ShownCommand& program);

// The program and all below it, from above.
std::vector<const ShownCommand*> all_commands(const ShownCommand& program);

}  // namespace tenkai
