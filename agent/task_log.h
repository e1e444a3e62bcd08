// The part of a daemon's log that one task has written, in a file of its own.
#pragma once

#include <cstdint>
#include <string>

namespace tenkai {

// Bytes; 0 where there is no such file.
std::uint64_t size_of_file(const std::string& path);

// Copies what stands in `log` from `begin` to its end, at most 64 MiB, into a new file
// with mode 0600. Nothing where there is nothing, or where the disk does not let us: a
// task is not to suffer from its log.
void copy_end_of_log(const std::string& log, std::uint64_t begin, const std::string& to);

}  // namespace tenkai
