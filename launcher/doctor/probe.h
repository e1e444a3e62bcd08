// Sends a small job on its way by a profile, and listens for it: what `tenkai doctor --probe` does.
#pragma once

#include <chrono>

#include "launcher/doctor/check.h"
#include "launcher/doctor/topics.h"

namespace tenkai::doctor {

// Waits for `limit` at most, and for the end of the job. What it listens at is open meanwhile; whoever
// else calls is not listened to.
Checks probe(const Patient& patient, std::chrono::seconds limit);

}  // namespace tenkai::doctor
