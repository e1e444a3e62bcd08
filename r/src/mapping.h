// A part of a memory file in the memory of this process, for as long as R needs it.
//
// Pages are shared with all who have mapped the same file, and copied by the kernel when R writes
// to one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crossing.h"

namespace tenkai {

// An external pointer to it, unmapped when R collects that; its address is NULL where it cannot be
// mapped. `at`: a multiple of the size of a page. `keeper` lives as long. Not protected. May jump
// as R does.
SEXP map_part(int file, std::size_t at, std::size_t size, SEXP keeper);

// A number that no other mapping of this process has had, as long as the content is certain to be
// that of the file; 0 from note_writing() on.
std::uint64_t unwritten_number(SEXP mapping);
// R has been given an address to write to, now or later.
void note_writing(SEXP mapping);

// Lets go of what nobody uses any more, where there is much; for a moment when nobody waits.
void unmap_unused();

}  // namespace tenkai
