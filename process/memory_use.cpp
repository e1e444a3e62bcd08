#include "process/memory_use.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "process/proc_file.h"

namespace tenkai {
namespace {

std::string folder_of(pid_t pid) { return "/proc/" + std::to_string(pid); }

// A child belongs to the thread that has started it.
std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> all;
  std::string tasks = folder_of(pid) + "/task";
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(tasks.c_str()), ::closedir);
  if (!folder) return all;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    std::vector<pid_t> some = parse_children(read_proc_file(tasks + "/" + entry->d_name + "/children"));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

std::optional<std::uint64_t> parse_resident_pages(std::string_view statm) {
  std::vector<std::string_view> numbers = split(statm, ' ');
  return numbers.size() < 2 ? std::nullopt : to_number<std::uint64_t>(numbers[1]);
}

std::optional<std::uint64_t> parse_proportional(std::string_view smaps) {
  std::optional<std::uint64_t> bytes;
  for (std::string_view line : split(smaps, '\n')) {
    if (!line.starts_with("Pss:")) continue;
    std::string_view number = trim(line.substr(4));
    auto kilobytes = to_number<std::uint64_t>(number.substr(0, number.find(' ')));
    if (kilobytes) bytes = bytes.value_or(0) + *kilobytes * 1024;
  }
  return bytes;
}

std::vector<pid_t> parse_children(std::string_view children) {
  std::vector<pid_t> all;
  for (std::string_view number : split(children, ' ')) {
    if (auto pid = to_number<pid_t>(number); pid && *pid > 0) all.push_back(*pid);
  }
  return all;
}

MemoryUse resident_memory(pid_t pid) {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  MemoryUse use{0, {pid}};
  for (std::size_t i = 0; i < use.processes.size(); ++i) {
    pid_t each = use.processes[i];
    use.bytes += parse_resident_pages(read_proc_file(folder_of(each) + "/statm")).value_or(0) * page;
    for (pid_t child : children_of(each)) {
      if (use.processes.size() < max_counted_processes) use.processes.push_back(child);
    }
  }
  return use;
}

// A kernel before 4.14 has no sum; it is made of the parts then.
std::uint64_t proportional_memory(const std::vector<pid_t>& processes) {
  std::uint64_t bytes = 0;
  for (pid_t pid : processes) {
    auto sum = parse_proportional(read_proc_file(folder_of(pid) + "/smaps_rollup"));
    if (!sum) sum = parse_proportional(read_proc_file(folder_of(pid) + "/smaps"));
    bytes += sum.value_or(0);
  }
  return bytes;
}

std::string as_memory(std::uint64_t bytes) {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20;
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  if (bytes < gib) return std::to_string(bytes / mib + (bytes % mib != 0 ? 1 : 0)) + " MiB";
  std::uint64_t tenths = bytes / gib * 10 + (bytes % gib * 10 + gib - 1) / gib;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
  return text + " GiB";
}

}  // namespace tenkai
