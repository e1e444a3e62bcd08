// Whether this process is still the one that something was made in.
//
// Asked several times for each task, so it must not be a system call: a fork
// changes a number.
#pragma once

namespace tenkai {

// Once, when the package is loaded.
void count_forks();
// Another number in each process that has been forked from this one.
unsigned fork_generation();

}  // namespace tenkai
