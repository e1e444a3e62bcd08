// R objects to bytes and back, in memory: R's own binary format, version 3.
#pragma once

#include "buffer.h"
#include "crossing.h"
#include "filed_vectors.h"
#include "hooks.h"
#include "scan.h"

namespace tenkai {

// Appends `object`. May jump as R does (no memory, what cannot be serialized).
void serialize(SEXP object, Buffer& into);
// The same with hooks (R_NilValue: none), and behind it what these have made of the objects
// in it. `gathered` lives outside of what R jumps over.
void serialize(SEXP object, Buffer& into, SEXP hooks, Gathered& gathered);
// The same into an empty buffer that is to be a payload as it is: large vectors become blocks of it
// (blocks.h), where there are no hooks. Those that are `filed` become shared blocks; null: none
// do.
void serialize_whole(SEXP object, Buffer& into, SEXP hooks, Gathered& gathered,
                     FiledVectors* filed = nullptr);

// Whether R may read this payload: nothing of it is given to R before. May jump
// where it cannot be mapped.
Verdict examine(const Payload& payload, Allowed allowed);

// The object in a payload that was found good, and that the caller keeps alive.
// `made`: the objects that hooks have made of its section, in a list. What it has of large vectors
// in a memory file is added to `filed`; null: to none.
// May jump as R does (a package is missing, no memory).
SEXP unserialize(const Payload& payload, const Verdict& verdict, SEXP made = R_NilValue,
                 FiledVectors* filed = nullptr);

// What the hooks of a payload that has a section are given; nothing but data. May jump.
SEXP unserialize_section(const Payload& payload, const Verdict& verdict);

}  // namespace tenkai
