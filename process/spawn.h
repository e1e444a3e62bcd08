// Starts a program. No shell, no inherited descriptors but those named.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace tenkai {

struct Spawn {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH when it has no slash
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  std::vector<std::pair<int, int>> descriptors;                  // ours → the child's
  bool inherit_output = false;                                   // else stdout is discarded
  int output_to = -1;                                            // a descriptor for stdout, in place of that
  int errors_to = -1;                                            // a descriptor for stderr; -1: as stdout
};

// The child has its own session (so that signals to its group reach it and its
// own children alone), default signal handlers and an empty mask; its standard
// input is empty. A program that is not there is an error here, not an exit code.
Result<pid_t> spawn(const Spawn& what);

// Both ends close on exec.
Result<std::pair<Descriptor, Descriptor>> make_socketpair();
Result<std::pair<Descriptor, Descriptor>> make_pipe();  // read end, write end

}  // namespace tenkai
