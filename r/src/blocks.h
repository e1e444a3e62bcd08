// Large vectors of numbers, not copied when they are read.
//
// R's serialization would have the numbers of a vector in the middle of its bytes, so who reads
// them has to copy them. From 1 MiB on they lie behind it instead, each at the beginning of a page
// of the memory file: a block. Where it was, the serialization has a vector of a class of our own
// (ALTREP) whose state says how long it is and where its block begins. Who reads it maps the
// block: pages are shared by all who read the same file, and copied by the kernel when R writes to
// one. One that lies in a file already is a shared block (base/shared_blocks.h), which is not written
// again. docs/protocol.md has the layout.
#pragma once

#include <R_ext/Rdynload.h>

#include <vector>

#include "base/bytes.h"
#include "buffer.h"
#include "crossing.h"
#include "filed_vectors.h"
#include "scan.h"

namespace tenkai {

// Once, when the package loads.
void make_block_classes(DllInfo* library);

// Appends `object`, its large vectors as blocks, to a buffer that is empty. Those in `filed` (null:
// none) become shared blocks of the buffer. May jump as R does.
void serialize_with_blocks(SEXP object, Buffer& into, FiledVectors* filed,
                           void (*write)(SEXP object, Buffer& into));

// Calls read(data), during which R finds the blocks of this payload. Those that are mapped are
// added to `filed` (null: to none). May jump as R does.
SEXP with_blocks_of(const Payload& payload, const Verdict& verdict, FiledVectors* filed, SEXP (*read)(void*),
                    void* data);

// The object with another vector in place of each large one in it, which stands for that until it
// is mapped; the object itself where there is none. Not protected. These three may jump as R does.
SEXP with_stand_ins(SEXP object);
// Appends the numbers of these as blocks of the buffer.
void append_stand_ins(SEXP object, Buffer& into);
// From now on they have their numbers there: blocks of this file, whose addresses become those of
// the mappings. `keeper` lives as long as one of them.
void map_stand_ins(SEXP object, const Bytes& file, SEXP keeper, std::vector<Buffer::Block>& blocks);

}  // namespace tenkai
