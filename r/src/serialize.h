// R objects to bytes and back, in memory: R's own binary format, version 3.
#pragma once

#include "buffer.h"
#include "crossing.h"
#include "scan.h"

namespace tenkai {

// Appends `object`. May jump as R does (no memory, what cannot be serialized).
void serialize(SEXP object, Buffer& into);

// Whether R may read this payload: nothing of it is given to R before. May jump
// where it cannot be mapped.
Verdict examine(const Payload& payload, Allowed allowed);

// The object in a payload that was found good, and that the caller keeps alive.
// May jump as R does (a package is missing, no memory).
SEXP unserialize(const Payload& payload, const Verdict& verdict);

}  // namespace tenkai
