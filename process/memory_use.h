// How much memory a process has, with all that comes from it: read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

struct MemoryUse {
  std::uint64_t bytes = 0;
  std::vector<pid_t> processes;  // those that are counted, the first one ahead
};

// More of them than so many are not looked for.
inline constexpr std::size_t max_counted_processes = 4096;

// What is resident of a process and its descendants. Cheap, and never too little: a page
// that several of them share (after a fork, say) counts for each. Descendants whose parent
// has ended belong to nobody any more, and do not count.
MemoryUse resident_memory(pid_t pid);

// What is theirs alone, and their part of what they share. The kernel walks through all
// pages for it: about a millisecond for each 100 MiB.
std::uint64_t proportional_memory(const std::vector<pid_t>& processes);

// The parts that are read: the second number of /proc/PID/statm, in pages; all lines `Pss:`
// of smaps or smaps_rollup, in bytes; the numbers of /proc/PID/task/TID/children.
std::optional<std::uint64_t> parse_resident_pages(std::string_view statm);
std::optional<std::uint64_t> parse_proportional(std::string_view smaps);
std::vector<pid_t> parse_children(std::string_view children);

// "2.1 GiB", "300 MiB": rounded up in the last digit.
std::string as_memory(std::uint64_t bytes);

}  // namespace tenkai
