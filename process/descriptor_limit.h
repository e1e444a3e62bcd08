// How many files this program may have open, and for what.
//
// A dispatcher with a thousand daemons needs more than the usual 1,024. What it
// starts gets the old limit back: R and what it loads may use select(), which
// breaks on high numbers.
//
// A payload that is passed as a file is lost, and its connection with it, where the
// receiver has no descriptor free. So nothing that stays takes the last few
// (Descriptor::may_stay).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/result.h"

namespace tenkai {

// Raises the soft limit to the hard one, for this process, and lets payloads that
// are memory files have half of it.
void raise_descriptor_limit();

// Gives a child that was just started the limit from before raise_...().
void restore_descriptor_limit(pid_t child);

// Payloads leave as many descriptors free as sockets and pipes may come to need, `most`.
// An error where this process may not have as many at all as they need now.
Result<Done> keep_descriptors(std::size_t needed, std::size_t most);

// Below which number payloads may have descriptors, where so many of `limit` are for others.
int end_of_payload_files(std::size_t limit, std::size_t others);

// "21 | Out of files: …", with what it was for, and the limit.
std::string out_of_descriptors(const std::string& what);

}  // namespace tenkai
