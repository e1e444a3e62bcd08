#include "launcher/profile/sbatch_options.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tenkai {
namespace {

struct OwnOption {
  std::string_view name;
  char letter;  // 0: it has none
  std::string_view instead;
};

constexpr std::string_view say_logs =
    "a job's output is where tenkai can read why it has failed; slurm.logs names a folder in which it stays, "
    "and --log of tenkai run a file";
constexpr std::string_view take_out = "with it no job can be followed; take it out";

constexpr std::array own_options{
    OwnOption{"output", 'o', say_logs},
    OwnOption{"error", 'e', say_logs},
    OwnOption{"open-mode", 0, say_logs},
    OwnOption{"array", 'a', "daemons says how many there are, and slurm.array-chunk how many share a job"},
    OwnOption{"ntasks", 'n', "daemons says how many there are"},
    OwnOption{"nodes", 'N', "slurm.nodes asks for one job over so many nodes"},
    OwnOption{"cpus-per-task", 'c', "slurm.cpus-per-task is for one daemon"},
    OwnOption{"gpus-per-task", 0, "slurm.gpus-per-task is for one daemon"},
    OwnOption{"job-name", 'J',
              "a session knows its jobs by their names; slurm.job-tag: comment leaves the names to you"},
    OwnOption{"comment", 0,
              "a session knows its jobs by their comments; slurm.job-tag: name leaves them to you"},
    OwnOption{"wait", 'W', take_out},
    OwnOption{"test-only", 0, take_out},
    OwnOption{"wrap", 0,
              "the script is a template's; slurm.template names another, environment.prologue adds to it"},
};

// A shorter one may be another's, and this one is.
constexpr std::size_t shortest_name = 3;
constexpr std::string_view not_ours = "gpus";

bool is_meant(const OwnOption& option, std::string_view word) {
  if (!word.starts_with("--"))
    return option.letter != 0 && word.size() > 1 && word[0] == '-' && word[1] == option.letter;
  std::string_view name = word.substr(2, word.find('=') - 2);
  return name.size() >= shortest_name && name != not_ours && option.name.starts_with(name);
}

const OwnOption* find_own(std::string_view word) {
  auto found = std::ranges::find_if(own_options, [&](const OwnOption& each) { return is_meant(each, word); });
  return found == own_options.end() ? nullptr : &*found;
}

}  // namespace

std::string_view own_sbatch_option(std::string_view word) {
  const OwnOption* own = find_own(word);
  return own == nullptr ? std::string_view() : own->name;
}

std::optional<std::string> complaint_about_options(const std::vector<std::string>& words, bool by_comment) {
  for (const std::string& word : words) {
    const OwnOption* own = find_own(word);
    if (own == nullptr || own->name == (by_comment ? "job-name" : "comment")) continue;
    return "slurm.options has " + printable(word, 60) +
           ", which is not to be said there: " + std::string(own->instead);
  }
  return std::nullopt;
}

}  // namespace tenkai
