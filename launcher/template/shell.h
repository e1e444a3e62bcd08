// A command as text that any login shell reads in the same way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

// The words of `argv`, quoted for a POSIX shell and joined by blanks. Where a word
// holds what csh reads in another way even within quotes ('!', line ends, bytes
// beyond ASCII), or is too long for it, the command is wrapped so that /bin/sh reads
// it, whatever shell reads it first: `/bin/sh -c 'eval …' sh '…'`, with such bytes in
// octal.
std::string shell_command(const std::vector<std::string>& argv);

// One word for /bin/sh, in the quotes in which it reads best.
std::string sh_word(std::string_view word);

}  // namespace tenkai
