// Large vectors of numbers, not copied when they are read.
//
// R's serialization would have the numbers of a vector in the middle of its bytes, so who reads
// them has to copy them. From 1 MiB on they lie behind it instead, each at the beginning of a page
// of the memory file: a block. Where it was, the serialization has a vector of a class of our own
// (ALTREP) whose state says how long it is and where its block begins. Who reads it maps the
// block: pages are shared by all who read the same file, and copied by the kernel when R writes to
// one. docs/protocol.md has the layout.
#pragma once

#include <R_ext/Rdynload.h>

#include <cstdint>

#include "buffer.h"
#include "crossing.h"
#include "scan.h"

namespace tenkai {

// Once, when the package loads.
void make_block_classes(DllInfo* library);

// Appends `object`, its large vectors as blocks, to a buffer that is empty. May jump as R does.
void serialize_with_blocks(SEXP object, Buffer& into, void (*write)(SEXP object, Buffer& into));

// Calls read(data), during which R finds the blocks of this payload. May jump as R does.
SEXP with_blocks_of(const Payload& payload, std::uint64_t blocks, SEXP (*read)(void*), void* data);

// Lets go of blocks that nobody uses any more, where there are many; for a moment when nobody waits.
void unmap_unused();

}  // namespace tenkai
