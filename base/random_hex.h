// Names that must not be guessed.
#pragma once

#include <cstddef>
#include <string>

namespace tenkai {

// `bytes` random bytes from the kernel, in 2 × `bytes` lower case digits: good
// enough for names that must not be guessed.
std::string random_hex(std::size_t bytes);

}  // namespace tenkai
