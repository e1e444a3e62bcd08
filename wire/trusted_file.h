// Files that say what is to be run: nobody but us or root can change them.
//
// They hold no secret, so others may read them, and the folders above them may be
// shared, as those of a group's project are: whoever puts another file there has to
// own it, and then it is refused.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.h"

namespace tenkai {

struct TrustedFile {
  std::string text;
  dev_t device = 0;  // which file it was, under whatever path
  ino_t inode = 0;
};

// The whole of a regular file, not a symbolic link, that belongs to us or to root,
// cannot be written to by others, and is at most `limit` bytes long: a longer one is
// not read. Nothing where there is no file. The sentence of an error does not name
// the file, the caller does.
Result<std::optional<TrustedFile>> read_trusted_file(const std::string& path, std::size_t limit);

}  // namespace tenkai
