#include "launcher/doctor/machine_checks.h"

#include "base/counted.h"
#include "base/text.h"

namespace tenkai::doctor {
namespace {

constexpr std::uint64_t mebi = 1024 * 1024;
// A dispatcher has a stream for each daemon, one for each launch, and some twenty of its own.
constexpr std::uint64_t own_files = 40;
constexpr std::uint64_t files_of_a_daemon = 3;
// A session of a day, with a dispatcher that is idle most of the time.
constexpr std::uint64_t little_processor_time = 4 * 3600;
constexpr std::uint64_t memory_of_an_r = 150 * mebi;

std::string in_bytes(std::uint64_t bytes) {
  if (bytes >= 10 * 1024 * mebi) return std::to_string(bytes / (1024 * mebi)) + " GiB";
  return std::to_string(bytes / mebi) + " MiB";
}

Check judge_room(const Room& room) {
  std::string what = room.what + " " + room.path;
  if (!room.is_known) return skipped("machine.room", what, "how much is free cannot be told");
  auto make = room.is_needed ? wrong : warning;
  if (!room.is_writable)
    return make("machine.room", what, "nothing can be written there",
                "chmod u+rwx " + shell_quote(room.path));
  if (room.bytes < room.least)
    return warning("machine.room", what, "only " + in_bytes(room.bytes) + " are free",
                   "make room there: du -xh " + shell_quote(room.path) + " | sort -h | tail");
  if (room.counts_files && room.files < 100)
    return warning("machine.room", what, "takes only " + std::to_string(room.files) + " files more",
                   "remove some: find " + shell_quote(room.path) + " -xdev | wc -l counts them");
  return ok("machine.room", what, in_bytes(room.bytes) + " are free");
}

Check judge_open_files(const Machine& machine) {
  std::string what = "open files (ulimit -n)";
  std::uint64_t needed = own_files + files_of_a_daemon * machine.daemons;
  if (machine.open_files && *machine.open_files < needed)
    return wrong("machine.open_files", what,
                 std::to_string(*machine.open_files) + " are too few for " +
                     counted(machine.daemons, "daemon") + ", which need " + std::to_string(needed),
                 "ulimit -n " + std::to_string(needed) + " before R is started");
  return ok("machine.open_files", what,
            machine.open_files ? std::to_string(*machine.open_files) + " are enough for " +
                                     counted(machine.daemons, "daemon")
                               : "not limited");
}

Check judge_processes(const Machine& machine) {
  std::string what = "processes (ulimit -u)";
  std::uint64_t needed = 20 + (machine.here ? 2 * machine.daemons : 0);
  if (machine.processes && *machine.processes < needed)
    return wrong("machine.processes", what, std::to_string(*machine.processes) + " are too few",
                 "ulimit -u " + std::to_string(needed) + " before R is started");
  return ok("machine.processes", what,
            machine.processes ? std::to_string(*machine.processes) : "not limited");
}

Check judge_processor_time(const Machine& machine) {
  std::string what = "processor time (ulimit -t)";
  if (!machine.processor_seconds) return ok("machine.cpu_time", what, "not limited");
  std::string limit = std::to_string(*machine.processor_seconds) + " s";
  if (*machine.processor_seconds < little_processor_time)
    return warning("machine.cpu_time", what,
                   "a process of this machine is killed after " + limit +
                       ": a session with its dispatcher, or a daemon here, would be, too",
                   "run the session as a job: tenkai run, or ulimit -t unlimited where that is allowed");
  return ok("machine.cpu_time", what, limit);
}

Check judge_memory_limit(const Machine& machine) {
  std::string what = "memory that processes here may have";
  std::uint64_t needed = memory_of_an_r * (machine.here ? machine.daemons + 1 : 2);
  std::optional<std::uint64_t> limit = machine.memory;
  if (machine.address_space && (!limit || *machine.address_space < *limit)) limit = machine.address_space;
  if (!limit) return ok("machine.memory", what, "not limited");
  if (*limit < needed)
    return warning("machine.memory", what,
                   in_bytes(*limit) + " are little for " +
                       counted(machine.here ? machine.daemons + 1 : 1, "R process", "R processes") +
                       (machine.here ? "" : " and a dispatcher"),
                   "run the session as a job (tenkai run), or have fewer daemons here");
  return ok("machine.memory", what, in_bytes(*limit));
}

Check judge_processors(const Machine& machine) {
  std::string what = "processors that processes here may use";
  auto may = static_cast<std::uint64_t>(machine.processors);
  if (machine.threads && *machine.threads > may)
    return warning("machine.processors", what,
                   "OMP_NUM_THREADS is " + std::to_string(*machine.threads) + ", and there " +
                       (may == 1 ? "is 1" : "are " + std::to_string(may)) +
                       ": threads would wait for each other",
                   "unset OMP_NUM_THREADS, or set it to " + std::to_string(may));
  return ok("machine.processors", what, std::to_string(may));
}

}  // namespace

Checks judge_machine(const Machine& machine) {
  Checks checks;
  std::string what = "temporary folder of R";
  if (machine.temporary_trouble.empty()) checks.push_back(ok("machine.temporary", what, "takes files"));
  else checks.push_back(wrong("machine.temporary", what, machine.temporary_trouble, "export TMPDIR=~/tmp"));
  for (const Room& each : machine.rooms) checks.push_back(judge_room(each));
  checks.push_back(judge_open_files(machine));
  checks.push_back(judge_processes(machine));
  checks.push_back(judge_processor_time(machine));
  checks.push_back(judge_memory_limit(machine));
  checks.push_back(judge_processors(machine));
  if (!machine.container.empty())
    checks.push_back(
        skipped("machine.container", machine.container,
                "this is a container: programs of the host, such as sbatch, may be missing in it, "
                "and its paths may be others on the nodes"));
  return checks;
}

}  // namespace tenkai::doctor
