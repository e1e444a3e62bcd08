// What of sbatch's options is not a user's to say, because a launch says it itself: with
// others its jobs could not be followed, or would have another number of daemons.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

// Which of those a word is, by its long name: "output" for "--output=a", "--out", "-o" and
// "-oa"; empty: none of them. sbatch takes long names that are cut short, too.
std::string_view own_sbatch_option(std::string_view word);

// What is wrong with the words of `slurm.options`, and which key to use in place of it; or nothing.
// `by_comment`: a session knows its jobs by their comments, and not by their names.
std::optional<std::string> complaint_about_options(const std::vector<std::string>& words, bool by_comment);

}  // namespace tenkai
