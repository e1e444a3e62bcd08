// `#SBATCH` lines, as sbatch reads them.
//
// sbatch has a reader of its own, which is no shell (22.05, and those before and after
// it): a backslash takes the next character as it stands, within both kinds of quotes
// too, but not a blank outside of them; '#' begins a comment within a word; ':' in
// front ends sbatch; "hetjob" and "packjob" are blotted out wherever they stand. It reads until the
// first line that is a command, and '#PBS' and '#BSUB' lines beyond that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

inline constexpr std::string_view directive_mark = "#SBATCH";

// The value as a word of a directive, or as the end of one ("--comment=" before it):
// sbatch reads exactly the value. What it cannot read is refused: line ends, control
// characters, what is not UTF-8.
Result<std::string> directive_word(std::string_view value);

// The words of a line, behind its mark.
Result<std::vector<std::string>> words_of_directive(std::string_view line);

// Why no value can stand behind this beginning of a directive, "within quotes"; or nothing.
std::optional<std::string> no_place_in_directive(std::string_view beginning);

// The words of all directives in the order in which sbatch reads them. Refuses a script
// in which a line looks like a directive and is none for sbatch, or the other way round.
Result<std::vector<std::string>> directives_of(std::string_view script);

// Whether a line is, or looks like, a directive of Slurm or of what sbatch takes for one.
bool looks_like_directive(std::string_view line);

// Whether sbatch reads no directives behind this line.
bool is_command(std::string_view line);

}  // namespace tenkai
