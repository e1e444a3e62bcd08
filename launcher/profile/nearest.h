// What a user who wrote an unknown name may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

// The known name that is the fewest edits away, or "" where none is near: one edit for
// three letters, at most three. Two letters that have changed places are one edit, '-'
// for '_' and capitals are none.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

// In small letters, with '-' for '_'.
std::string folded_name(std::string_view name);

}  // namespace tenkai
