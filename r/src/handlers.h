// Condition handlers, established as withCallingHandlers() and tryCatch() of R do it,
// by the same internal function, without the time that they take.
//
// They are there until the R function ends in whose frame C++ was called. Both may
// jump, but only for want of memory.
#pragma once

#include "crossing.h"

namespace tenkai {

// `handlers`: a list of functions, named by the classes of conditions. The latest comes first.
void establish_handlers(SEXP handlers, SEXP frame);

// A condition of one of these classes ends the function whose frame it is, which returns
// list(condition, call, NULL).
void establish_exits(SEXP classes, SEXP frame);

}  // namespace tenkai
