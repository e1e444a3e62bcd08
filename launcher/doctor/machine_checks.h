// What the machine gives to this process: room for files, limits, processors, memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/doctor/check.h"

namespace tenkai::doctor {

struct Room {
  std::string what;  // "temporary folder"
  std::string path;
  std::uint64_t least = 0;  // bytes that ought to be free
  bool is_needed = true;    // nothing works without it
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;  // that can still be made; 0 with `counts_files`: none
  bool counts_files = false;
  bool is_known = false;
  bool is_writable = false;
};

struct Machine {
  std::string temporary_trouble;                   // of the folder of R; empty: it takes files
  std::vector<Room> rooms;                         // temporary folder, home, /dev/shm
  std::optional<std::uint64_t> open_files;         // that a process may have; nothing: any number
  std::optional<std::uint64_t> processes;          // that the user may have
  std::optional<std::uint64_t> processor_seconds;  // that a process may use
  std::optional<std::uint64_t> address_space;      // bytes
  std::optional<std::uint64_t> memory;             // bytes that this process and its like may have
  int processors = 1;                              // that this process may use
  std::optional<std::uint64_t> threads;            // OMP_NUM_THREADS
  std::string container;                           // "APPTAINER_CONTAINER=…"; empty: none is known
  std::uint64_t daemons = 1;                       // that the profile has
  bool here = true;                                // they run on this machine
};

// machine.temporary, machine.room, machine.open_files, machine.processes, machine.cpu_time,
// machine.memory, machine.processors.
Checks judge_machine(const Machine& machine);

// The numbers of this machine; `daemons` and `here` are the caller's.
Machine look_at_machine();

}  // namespace tenkai::doctor
