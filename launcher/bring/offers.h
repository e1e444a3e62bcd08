// What this session has that could be brought along: its program, and its R package.
#pragma once

#include "launcher/bring/bring.h"

namespace tenkai::bring {

// Looks at the environment, where the session says where its libraries are, and at files.
Offers find_offers();

}  // namespace tenkai::bring
