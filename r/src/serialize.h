// R objects to bytes and back, in memory: R's own binary format, version 3.
#pragma once

#include "buffer.h"
#include "crossing.h"

namespace tenkai {

// Appends `object`. May jump as R does (no memory, what cannot be serialized).
void serialize(SEXP object, Buffer& into);

// The object in a payload, which the caller keeps alive. May jump as R does (a
// package is missing, no memory).
SEXP unserialize(const Payload& payload);

}  // namespace tenkai
