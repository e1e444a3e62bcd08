// The job scripts of templates/, as part of the program: for where it is one file alone.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace tenkai {

// By name, "slurm.sbatch". cmake/own_templates.sh writes the source.
const std::map<std::string, std::string_view, std::less<>>& own_templates();

}  // namespace tenkai
