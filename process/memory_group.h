// The kernel's out-of-memory counter of the control group this process is in.
//
// A process ended by SIGKILL does not know who sent it. When the counter of our
// group went up meanwhile, it was the kernel, for want of memory. Works with
// control groups v2 (`memory.events`) and v1 (`memory.oom_control`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenkai {

// The files to look at, from the text of /proc/self/cgroup; empty where there is
// no memory controller.
struct MemoryGroup {
  std::string events;  // path of memory.events or memory.oom_control
  std::string limit;   // path of memory.max or memory.limit_in_bytes
};
MemoryGroup find_memory_group(std::string_view proc_self_cgroup, const std::string& root = "/sys/fs/cgroup");

// The number behind `oom_kill` in the text of either file.
std::optional<std::uint64_t> parse_oom_kills(std::string_view text);

// Kills so far in our own group; 0 where the kernel does not tell.
std::uint64_t oom_kills();

// The smaller of the machine's memory and our group's limit, in bytes.
std::uint64_t memory_available();

}  // namespace tenkai
