// Files that hold a secret: nobody else can read, replace or redirect them.
//
// A path is walked from the root, folder by folder, each held open while the next
// is looked at, so nothing can be exchanged between the look and the use. Each
// folder, and each symbolic link between them, must belong to root or to us; a
// folder that others can write to must at least have the sticky bit, like /tmp.
// What is refused names the path, the fact, and the command that mends it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tenkai {

inline constexpr std::size_t max_private_file = std::size_t{64} * 1024;

// A regular file of ours, not a symbolic link, with one name, no permission for
// anybody else, and at most 64 KiB long. The caller wipes what it holds (wipe()).
Result<std::string> read_private_file(const std::string& path);

// Makes the file, mode 0600, in a folder that read_private_file() would accept. It
// appears whole or not at all; one that exists already is left as it is, and an
// error.
Result<Done> write_private_file(const std::string& path, std::string_view text);

}  // namespace tenkai
