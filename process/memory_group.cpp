#include "process/memory_group.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "process/proc_file.h"

namespace tenkai {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

const MemoryGroup& own_group() {
  static const MemoryGroup group = find_memory_group(read_proc_file("/proc/self/cgroup"));
  return group;
}

}  // namespace

MemoryGroup find_memory_group(std::string_view proc_self_cgroup, const std::string& root) {
  MemoryGroup found;
  while (!proc_self_cgroup.empty()) {
    std::size_t end = std::min(proc_self_cgroup.find('\n'), proc_self_cgroup.size());
    std::string_view line = proc_self_cgroup.substr(0, end);
    proc_self_cgroup.remove_prefix(std::min(end + 1, proc_self_cgroup.size()));
    std::size_t first = line.find(':');
    std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    std::string controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    std::string path(line.substr(second + 1));
    if (path == "/") path.clear();
    if (controllers.find(",memory,") != controllers.npos) {
      return {root + "/memory" + path + "/memory.oom_control",
              root + "/memory" + path + "/memory.limit_in_bytes"};
    }
    if (line.substr(0, 3) == "0::") found = {root + path + "/memory.events", root + path + "/memory.max"};
  }
  return found;
}

std::optional<std::uint64_t> parse_oom_kills(std::string_view text) {
  // "oom_kill 3" on a line of its own; not oom_kill_disable, not oom_group_kill.
  std::size_t at = text.substr(0, 9) == "oom_kill " ? 0 : text.find("\noom_kill ");
  if (at == text.npos) return std::nullopt;
  return number(text.substr(text.find(' ', at) + 1));
}

std::uint64_t oom_kills() {
  if (own_group().events.empty()) return 0;
  return parse_oom_kills(read_proc_file(own_group().events)).value_or(0);
}

std::uint64_t memory_available() {
  std::uint64_t machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                          static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if (own_group().limit.empty()) return machine;
  return std::min(machine, number(read_proc_file(own_group().limit)).value_or(machine));
}

}  // namespace tenkai
