// Asks the kernel for what machine_checks.h judges.
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "launcher/doctor/machine_checks.h"
#include "process/memory_group.h"
#include "process/temporary_folder.h"

namespace tenkai::doctor {
namespace {

constexpr std::uint64_t little_room = std::uint64_t{100} * 1024 * 1024;
// Containers have 64 MiB by default, and little of ours goes there.
constexpr std::uint64_t little_memory = std::uint64_t{16} * 1024 * 1024;

std::optional<std::uint64_t> limit_of(__rlimit_resource_t resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

Room room_of(std::string what, std::string path, std::uint64_t least, bool is_needed) {
  Room room;
  room.what = std::move(what);
  room.path = std::move(path);
  room.least = least;
  room.is_needed = is_needed;
  struct statvfs found {};
  if (room.path.empty() || ::statvfs(room.path.c_str(), &found) != 0) return room;
  room.is_known = true;
  room.bytes = static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
  room.files = found.f_favail;
  room.counts_files = found.f_files > 0;
  room.is_writable = ::access(room.path.c_str(), W_OK | X_OK) == 0;
  return room;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int processors_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  return CPU_COUNT(&set);
}

std::string container_of() {
  for (const char* name : {"APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"})
    if (!variable(name).empty()) return variable(name);
  return "";
}

}  // namespace

Machine look_at_machine() {
  Machine machine;
  machine.temporary_trouble = trouble_with_temporary_folder();
  std::string temporary = variable("TMPDIR");
  machine.rooms.push_back(
      room_of("temporary folder", temporary.empty() ? "/tmp" : temporary, little_room, true));
  machine.rooms.push_back(room_of("home", variable("HOME"), little_room, false));
  machine.rooms.push_back(room_of("shared memory", "/dev/shm", little_memory, false));
  machine.open_files = limit_of(RLIMIT_NOFILE);
  // A program may raise its own limit so far.
  rlimit files{};
  bool has_most = ::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max != RLIM_INFINITY;
  if (has_most) machine.open_files = files.rlim_max;
  machine.processes = limit_of(RLIMIT_NPROC);
  machine.processor_seconds = limit_of(RLIMIT_CPU);
  machine.address_space = limit_of(RLIMIT_AS);
  machine.memory = memory_available();
  machine.processors = processors_allowed();
  machine.threads = to_number<std::uint64_t>(variable("OMP_NUM_THREADS"));
  machine.container = container_of();
  return machine;
}

}  // namespace tenkai::doctor
