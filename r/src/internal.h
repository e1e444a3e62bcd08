// R's internal functions, called where the R function around one takes longer than all else.
#pragma once

#include "crossing.h"

namespace tenkai {

// `call`: of an internal function with values, which are not evaluated again. May jump.
SEXP call_internal(SEXP call);

// The same, of calls that are made when the package loads. All may jump.

// How deep standard output, or the stream of messages, has been diverted.
int sink_number(bool output);
// No time limit that the task has set strikes from here on.
void end_time_limits();
// Shows the warnings that wait for the top level, as R does there, and forgets them. It jumps there.
void end_warnings();

void make_internal_calls();

}  // namespace tenkai
