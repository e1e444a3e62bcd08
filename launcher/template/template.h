// A job script from a template: `{{ key }}` and `{{ key | default }}` become values.
//
// What a value becomes is decided by where it stands, not by who hands it in: on a
// `#SBATCH` line a word as sbatch reads it, everywhere else a word as the shell reads it.
// Where neither is possible (within quotes, in a comment, in a here-document) it is
// refused. The script is then read as sbatch will read it, and holds exactly the
// directives of the template, with the values in them. docs/templates.md has the rules.
//
// Pure: no file, no environment.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

// By the keys of a profile ("slurm.partition") and of a launch ("launch.name"). One
// text, or those of a list; a key that is missing or has no text is not set.
using TemplateValues = std::map<std::string, std::vector<std::string>>;

struct JobScript {
  std::string text;
  std::vector<std::string> directives;  // their words, as sbatch reads them

  bool operator==(const JobScript&) const = default;
};

inline constexpr std::size_t max_template_bytes = 1024 * 1024;
inline constexpr std::size_t max_script_bytes = 4 * 1024 * 1024;  // what Slurm takes
inline constexpr std::size_t max_template_lines = 20'000;
inline constexpr std::size_t max_placeholders = 10'000;

// `name` is what errors call the template: "gpu.sbatch:12: …".
Result<JobScript> render_template(std::string_view name, std::string_view text, const TemplateValues& values);

}  // namespace tenkai
