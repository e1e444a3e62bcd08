#include "launcher/profile/enlarge.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "launcher/profile/value.h"

namespace tenkai {
namespace {

// More than so much is a mistake, whatever the unit; a site has a limit of its own.
constexpr std::uint64_t most_memory = 999'999'999'999;
constexpr std::uint64_t most_seconds = std::uint64_t{3650} * 24 * 3600;

struct Memory {
  std::uint64_t number = 0;
  std::string unit;  // "", "K", "GB", …
};

// Nothing, too, for 0, which to Slurm is all that a node has.
std::optional<Memory> amount_in(std::string_view text) {
  std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = to_number<std::uint64_t>(text.substr(0, digits));
  std::string unit(text.substr(digits));
  bool is_unit = unit.empty() || std::string_view("KMGT").find(unit[0]) != std::string_view::npos;
  if (!number || *number == 0 || *number > most_memory || !is_unit) return std::nullopt;
  return Memory{*number, unit};
}

// 3G times 1.5 is 4608M: in the largest unit in which it is a whole number, K at the
// smallest. Without a unit, and in K, the number is rounded up.
std::optional<std::string> multiplied(Memory memory, std::uint32_t percent, unsigned steps) {
  constexpr std::string_view units = "KMGT";
  for (; steps > 0; --steps) {
    std::uint64_t product = memory.number * percent;
    while (product % 100 != 0 && !memory.unit.empty() && memory.unit[0] != 'K') {
      memory.unit[0] = units[units.find(memory.unit[0]) - 1];
      product *= 1024;
      if (product / 100 > most_memory) return std::nullopt;
    }
    memory.number = (product + 99) / 100;
    if (memory.number > most_memory) return std::nullopt;
  }
  return std::to_string(memory.number) + memory.unit;
}

std::string as_time(std::uint64_t seconds) {
  auto two = [](std::uint64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  std::uint64_t days = seconds / 86400;
  std::uint64_t hours = seconds / 3600 % 24;
  std::string rest = ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60);
  return days == 0 ? std::to_string(hours) + rest : std::to_string(days) + "-" + two(hours) + rest;
}

std::optional<std::string> multiplied(std::chrono::seconds time, std::uint32_t percent, unsigned steps) {
  auto seconds = static_cast<std::uint64_t>(time.count());
  for (; steps > 0 && seconds <= most_seconds; --steps) seconds = (seconds * percent + 99) / 100;
  if (seconds > most_seconds) return std::nullopt;
  return as_time(seconds);
}

const std::string* option_of(const Deployment::Options& options, const std::string& name) {
  auto found = options.find(name);
  return found == options.end() || found->second.empty() ? nullptr : &found->second.front();
}

bool is_option(std::string_view word, const std::string& name) {
  bool is_short = name[1] != '-';
  return word == name || word.starts_with(is_short ? name : name + "=");
}

// Words of slurm.options come last in a script, and would count more than what is set here.
Result<Done> check_own_words(const Deployment::Options& options, const std::vector<std::string>& names,
                             const std::string& what) {
  auto words = options.find("slurm.options");
  if (words == options.end()) return Done{};
  for (const std::string& word : words->second) {
    auto is_word = [&word](const std::string& name) { return is_option(word, name); };
    if (std::any_of(names.begin(), names.end(), is_word))
      return Error{"cannot ask for more " + what + " while slurm.options say '" + printable(word, 60) +
                   "'; say it as slurm." + what};
  }
  return Done{};
}

Result<Done> replace(Enlarged& enlarged, const std::string& name, std::optional<std::string> value) {
  std::string& now = enlarged.options[name].front();
  if (!value)
    return Error{"cannot ask for more than " + name + ": " + now + ", that would be beyond all limits"};
  now = std::move(*value);
  enlarged.words += (enlarged.words.empty() ? "" : ", ") + name.substr(name.rfind('.') + 1) + "=" + now;
  return Done{};
}

Result<Done> enlarge_memory(Enlarged& enlarged, unsigned steps, std::uint32_t percent) {
  Result<Done> ours = check_own_words(enlarged.options, {"--mem", "--mem-per-cpu", "--mem-per-gpu"}, "mem");
  if (!ours) return ours;
  bool any = false;
  for (const char* name : {"slurm.mem", "slurm.mem-per-cpu", "limits.memory"}) {
    const std::string* value = option_of(enlarged.options, name);
    if (value == nullptr) continue;
    std::optional<Memory> memory = amount_in(*value);
    if (!memory)
      return Error{"cannot ask for more than " + std::string(name) + ": " + printable(*value, 60) +
                   ", which is no amount; write one, such as 4G"};
    Result<Done> replaced = replace(enlarged, name, multiplied(*memory, percent, steps));
    if (!replaced) return replaced;
    any = true;
  }
  if (!any) return Error{"cannot ask for more memory, because none was asked for; say slurm.mem"};
  return Done{};
}

Result<Done> enlarge_time(Enlarged& enlarged, unsigned steps, std::uint32_t percent) {
  Result<Done> ours = check_own_words(enlarged.options, {"--time", "-t"}, "time");
  if (!ours) return ours;
  const std::string* value = option_of(enlarged.options, "slurm.time");
  if (value == nullptr) return Error{"cannot ask for more time, because none was asked for; say slurm.time"};
  std::optional<std::chrono::seconds> time = parse_time_limit(*value);
  if (!time)
    return Error{"cannot ask for more than slurm.time: " + printable(*value, 60) +
                 ", which has no limit; write one, such as 2:00:00"};
  return replace(enlarged, "slurm.time", multiplied(*time, percent, steps));
}

}  // namespace

Result<Enlarged> enlarge(const Deployment::Options& options, const Size& size, const Factors& factors) {
  Enlarged enlarged{options, {}};
  if (size == Size()) return enlarged;
  if (option_of(options, "slurm.allocation") != nullptr)
    return Error{
        "daemons are steps of the job in which this session is, and it has no more than it has; submit "
        "the session with more"};
  Result<Done> done = Done{};
  if (size.mem > 0) done = enlarge_memory(enlarged, size.mem, factors.mem);
  if (done && size.time > 0) done = enlarge_time(enlarged, size.time, factors.time);
  if (!done) return done.error();
  return enlarged;
}

Deployment::Options excluding(Deployment::Options options, const std::vector<std::string>& nodes) {
  std::vector<std::string> all;
  const std::string* before = option_of(options, "launch.exclude");
  if (before != nullptr) {
    for (std::string_view node : split(*before, ',')) all.emplace_back(node);
  }
  for (const std::string& node : nodes) {
    if (!node.empty() && std::find(all.begin(), all.end(), node) == all.end()) all.push_back(node);
  }
  if (!all.empty()) options["launch.exclude"] = {join(all, ",")};
  return options;
}

}  // namespace tenkai
