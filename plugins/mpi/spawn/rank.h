// What a spawned process does when MPI has done its part: it runs the command of an
// agent, and tells how that has ended and what it has written last.
#pragma once

#include <cstddef>
#include <string_view>

namespace tenkai::mpi {

// Whether a variable is MPI's word to this process, and not to programs that tasks run.
bool is_of_rank(std::string_view variable);

// Runs `argv` to its end; ours follows. The exit code for main(). What is open from
// descriptor 3 on is closed first: MPI leaves listening sockets there.
int run_rank(std::size_t rank, char** argv);

// Writes a line to standard error in one piece.
void tell(std::string_view line);

}  // namespace tenkai::mpi
