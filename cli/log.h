#pragma once

namespace tenkai {

// Logs to stderr at the level that TENKAI_LOG names; without it, not at all.
void start_log();

}  // namespace tenkai
