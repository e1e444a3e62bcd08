// What `tenkai carry` says to people, on standard error.
#pragma once

#include <string>

namespace tenkai {

// "tenkai carry: ...", and further lines below it. Where somebody holds the other end of
// standard error and does not read, it is dropped after a second.
void say(const std::string& what);

// The last lines of a log: what somebody reads who sees several of them.
std::string last_of(const std::string& log);

// What is closed of the first three descriptors leads nowhere, so that nothing of ours gets
// their numbers.
void hold_standard_descriptors();

}  // namespace tenkai
