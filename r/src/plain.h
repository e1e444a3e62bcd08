// A quick way for small objects that are nothing special: what most tasks and values are.
//
// R's own serialize() begins with a table of 1,100 places for what may be met twice, which takes
// longer than all else for a small object, and is garbage afterwards. The bytes are the same.
#pragma once

#include "api.h"
#include "buffer.h"

namespace tenkai {

// Appends what serialize() would, version 3 in R's native binary format, and allocates nothing.
// False, and nothing appended, where the object is larger than a few KiB, or holds anything but
// NULL, vectors, lists, calls, symbols and attributes of such.
bool serialize_plain(SEXP object, Buffer& into);

}  // namespace tenkai
