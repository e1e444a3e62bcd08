// How a file is refused: the path, the fact, and the command that mends it.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <system_error>

#include "base/result.h"
#include "base/text.h"

namespace tenkai {

inline std::string reason(int number) { return std::generic_category().message(number); }

inline std::string shown_path(const std::string& path) { return printable(path, PATH_MAX); }
// The path as a word of a command that is to be copied.
inline std::string path_word(const std::string& path) { return printable(shell_quote(path), PATH_MAX); }

inline Error refuse_file(const std::string& path, const std::string& fact, const std::string& mend) {
  return Error{shown_path(path) + " " + fact + "; " + mend};
}
inline Error refuse_file(const std::string& path, int number) {
  return Error{shown_path(path) + " cannot be used: " + reason(number)};
}

// Root could change anything anyway.
inline bool is_trusted_owner(uid_t owner) { return owner == 0 || owner == ::geteuid(); }

}  // namespace tenkai
