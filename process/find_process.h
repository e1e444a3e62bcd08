// A process of ours that somebody else has started, for one that died.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace tenkai {

// The one that was started with just these arguments and leads its process group, as
// what Programs starts does: the children it forks bear the same arguments. Nothing
// where there is none of this user's.
std::optional<pid_t> find_process(const std::vector<std::string>& argv);

// Whether it is there still: others may have got its pid since.
bool is_process(pid_t pid, const std::vector<std::string>& argv);

}  // namespace tenkai
