#include "launcher/plugin/slurm_variables.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tenkai::slurm {
namespace {

struct Known {
  std::string_view variable;
  std::string_view name;
  char letter = 0;
  bool may_be_empty = false;
};

// All that a launch does not say by itself. One of a name is enough: the first.
constexpr std::array known{
    Known{"SBATCH_ACCOUNT", "account", 'A'},
    Known{"SBATCH_PARTITION", "partition", 'p'},
    Known{"SBATCH_QOS", "qos", 'q'},
    Known{"SBATCH_TIMELIMIT", "time", 't'},
    Known{"SBATCH_CLUSTERS", "clusters", 'M'},
    Known{"SLURM_CLUSTERS", "clusters", 'M'},
    Known{"SBATCH_CONSTRAINT", "constraint", 'C'},
    Known{"SBATCH_RESERVATION", "reservation"},
    Known{"SBATCH_WCKEY", "wckey"},
    Known{"SBATCH_MEM_PER_NODE", "mem"},
    Known{"SBATCH_MEM_PER_CPU", "mem-per-cpu"},
    Known{"SBATCH_GRES", "gres"},
    Known{"SBATCH_GRES_FLAGS", "gres-flags"},
    Known{"SBATCH_EXCLUSIVE", "exclusive", 0, true},
    Known{"SBATCH_HINT", "hint"},
    Known{"SBATCH_NETWORK", "network"},
    Known{"SBATCH_CORE_SPEC", "core-spec", 'S'},
    Known{"SBATCH_DELAY_BOOT", "delay-boot"},
    Known{"SBATCH_ACCTG_FREQ", "acctg-freq"},
    Known{"SBATCH_PROFILE", "profile"},
};

// Slurm takes one of these three.
constexpr std::array<std::string_view, 3> of_memory{"mem", "mem-per-cpu", "mem-per-gpu"};

bool is_option(std::string_view word, std::string_view name, char letter) {
  if (word.starts_with("--")) return word.substr(2, word.find('=') - 2) == name;
  return letter != 0 && word.size() > 1 && word[0] == '-' && word[1] == letter;
}

bool says(const std::vector<std::string>& words, std::string_view name, char letter) {
  return std::ranges::any_of(words, [&](const std::string& word) { return is_option(word, name, letter); });
}

bool is_of_memory(std::string_view name) { return std::ranges::count(of_memory, name) > 0; }

bool says_memory(const std::vector<std::string>& words) {
  return std::ranges::any_of(of_memory, [&](std::string_view name) { return says(words, name, 0); });
}

bool has(const std::vector<SiteOption>& options, std::string_view name) {
  return std::ranges::any_of(options, [&](const SiteOption& each) {
    return each.name == name || (is_of_memory(name) && is_of_memory(each.name));
  });
}

}  // namespace

bool is_of_slurm(std::string_view variable) {
  for (std::string_view kept : {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"}) {
    if (variable == kept) return false;
  }
  for (std::string_view prefix : {"SLURM_", "SLURMD_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SRUN_",
                                  "SALLOC_", "SCONTROL_", "PMI_", "PMI2_", "PMIX_"}) {
    if (variable.starts_with(prefix)) return true;
  }
  return false;
}

std::vector<SiteOption> site_options_in(const std::vector<std::string_view>& variables) {
  std::vector<SiteOption> options;
  for (const Known& each : known) {
    for (std::string_view variable : variables) {
      if (variable.starts_with("SLURM_JOB_ID=")) return {};
      std::string_view name = variable.substr(0, std::min(variable.find('='), variable.size()));
      if (name != each.variable || name.size() == variable.size() || has(options, each.name)) continue;
      std::string_view value = variable.substr(name.size() + 1);
      // What cannot be a word of sbatch's is no site's.
      if (find_unprintable(value) || (value.empty() && !each.may_be_empty)) continue;
      options.push_back({std::string(each.name), each.letter, std::string(value)});
    }
  }
  return options;
}

std::vector<SiteOption> own_site_options() {
  std::vector<std::string_view> variables;
  for (char** each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
  return site_options_in(variables);
}

std::vector<std::string> words_beside(const std::vector<SiteOption>& options,
                                      const std::vector<std::string>& directives) {
  std::vector<std::string> words;
  for (const SiteOption& option : options) {
    bool is_said = says(directives, option.name, option.letter) ||
                   (is_of_memory(option.name) && says_memory(directives));
    if (!is_said) words.push_back("--" + option.name + (option.value.empty() ? "" : "=" + option.value));
  }
  return words;
}

}  // namespace tenkai::slurm
