// How many files this program may have open.
//
// A dispatcher with a thousand daemons needs more than the usual 1,024. What it
// starts gets the old limit back: R and what it loads may use select(), which
// breaks on high numbers.
#pragma once

#include <sys/types.h>

namespace tenkai {

// Raises the soft limit to the hard one, for this process, and lets payloads that
// are memory files have half of it.
void raise_descriptor_limit();

// Gives a child that was just started the limit from before raise_...().
void restore_descriptor_limit(pid_t child);

}  // namespace tenkai
