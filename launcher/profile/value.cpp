#include "launcher/profile/value.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/url.h"
#include "launcher/profile/nearest.h"
#include "scheduler/size.h"

namespace tenkai {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_text = 4096;
constexpr std::size_t max_script = 64 * 1024;
constexpr std::uint64_t max_count = 1'000'000'000;
constexpr std::int64_t max_seconds = std::int64_t{10} * 365 * 24 * 3600;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits_of(std::string_view text) {
  auto end = std::ranges::find_if_not(text, is_digit);
  return static_cast<std::size_t>(end - text.begin());
}

std::optional<std::int64_t> milliseconds_in(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s" || unit.empty()) return 1000;
  if (unit == "min" || unit == "m") return 60 * 1000;
  if (unit == "h") return 3600 * 1000;
  if (unit == "d") return 24 * 3600 * 1000;
  return std::nullopt;
}

// [days-]hours[:minutes[:seconds]], minutes, minutes:seconds, hours:minutes:seconds, or
// no limit. Slurm judges the numbers; here it is only made sure that it is such a thing.
bool is_time(std::string_view text) {
  if (text == "UNLIMITED" || text == "INFINITE") return true;
  std::size_t dash = text.find('-');
  if (dash != text.npos) {
    if (dash == 0 || dash > 6 || digits_of(text) != dash) return false;
    text.remove_prefix(dash + 1);
  }
  std::vector<std::string_view> parts = split(text, ':');
  auto is_part = [](std::string_view part) {
    return !part.empty() && part.size() <= 6 && digits_of(part) == part.size();
  };
  return parts.size() <= 3 && std::ranges::all_of(parts, is_part);
}

bool is_memory(std::string_view text) {
  std::size_t digits = digits_of(text);
  if (digits == 0 || digits > 12) return false;
  std::string_view unit = text.substr(digits);
  if (unit.size() == 2 && unit[1] == 'B') unit.remove_suffix(1);
  return unit.empty() ||
         (unit.size() == 1 && std::string_view("KMGT").find(unit[0]) != std::string_view::npos);
}

bool is_word(std::string_view text) { return text.find_first_of(" \t\n") == text.npos && !text.empty(); }

bool fits(const ProfileKey& key, std::string_view text) {
  switch (key.type) {
    case KeyType::word: return is_word(text) && !text.starts_with('-');
    case KeyType::words: return is_word(text);
    case KeyType::text: return !text.empty();
    case KeyType::texts:
    case KeyType::script: return true;
    case KeyType::count: return parse_count(text).has_value();
    case KeyType::number: return parse_number(text).has_value();
    case KeyType::threads: return text == "auto" || text == "none" || parse_count(text).value_or(0) > 0;
    case KeyType::choice: return std::ranges::count(key.choices, text) > 0;
    case KeyType::flag: return parse_flag(text).has_value();
    case KeyType::duration: return parse_duration(text).has_value();
    case KeyType::time: return is_time(text);
    case KeyType::memory: return is_memory(text);
    case KeyType::factor: return parse_factor(text).has_value();
    case KeyType::ports: return parse_ports(text).has_value();
    case KeyType::url: return true;  // has words of its own
  }
  return false;
}

// What a shell reads: as it stands, or as a part of a command.
bool is_for_shell(const ProfileKey& key) {
  return key.type == KeyType::script || key.path.starts_with("command.");
}

// "~/" at the begin of these is the home.
bool is_path(std::string_view path) {
  for (std::string_view each :
       {"ssh.client", "ssh.config", "slurm.template", "slurm.logs", "mpi.program", "environment.conda",
        "environment.apptainer", "environment.renv", "environment.rscript", "environment.lib-paths",
        "environment.variables.*", "environment.working-directory"}) {
    if (path == each) return true;
  }
  return false;
}

bool is_home_kept(const ProfileKey& key, std::string_view text) {
  if (text == "~" || text.starts_with("~/")) return !is_path(key.path);
  return text.starts_with('~') || (is_list(key.type) && text.find("=~") != text.npos);
}

bool may_be_in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

// The variables that users mean have capitals; "it's $red" is a text.
bool is_variable(std::string_view name) {
  bool small = std::ranges::any_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
  return !name.empty() && !is_digit(name.front()) && !small;
}

std::string complaint_about_unexpanded(const ProfileKey& key, std::string_view found) {
  std::string said = std::string(key.path) + " holds '" + printable(found, 60) +
                     "', and no shell reads it: it would stay as it is; write what it stands for";
  if (!key.path.starts_with("environment.")) return said;
  return said + ", or put it into environment.prologue, which a shell reads";
}

std::string advice_for(const ProfileKey& key, std::string_view text) {
  if (key.type == KeyType::choice) {
    std::string meant = nearest(text, {key.choices.begin(), key.choices.end()});
    if (!meant.empty()) return "did you mean '" + meant + "'?";
  }
  if (key.type == KeyType::count && text.size() > 1 && text.starts_with('0') &&
      digits_of(text) == text.size()) {
    return "write it without the 0 in front, which others take for octal";
  }
  if (key.type == KeyType::word || key.type == KeyType::words)
    return "take out the blanks, or a '-' in front";
  if (key.example.find(": ") != key.example.npos) return "write " + std::string(key.example);
  std::string name(key.path.substr(key.path.rfind('.') + 1));
  return "write something like " + name + ": " + std::string(key.example);
}

}  // namespace

std::string_view unexpanded_in(const ProfileKey& key, std::string_view text) {
  if (is_for_shell(key)) return {};
  if (is_home_kept(key, text)) return text;
  for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$', at + 1)) {
    std::string_view name = text.substr(at + 1);
    if (name.starts_with('{') || name.starts_with('(')) return text.substr(at);
    auto end = std::ranges::find_if_not(name, may_be_in_name);
    auto size = static_cast<std::size_t>(end - name.begin());
    if (is_variable(name.substr(0, size))) return text.substr(at, size + 1);
  }
  return {};
}

std::optional<std::uint64_t> parse_memory(std::string_view text) {
  if (!is_memory(text)) return std::nullopt;
  std::size_t digits = digits_of(text);
  char unit = digits == text.size() ? 'M' : text[digits];
  unsigned shift = 10 * (1 + static_cast<unsigned>(std::string_view("KMGT").find(unit)));
  std::uint64_t number = *to_number<std::uint64_t>(text.substr(0, digits));
  if (number > (std::uint64_t{1} << 63 >> shift)) return std::nullopt;
  return number << shift;
}

std::optional<std::chrono::seconds> parse_time_limit(std::string_view text) {
  if (!is_time(text) || digits_of(text) == 0) return std::nullopt;
  std::int64_t days = 0;
  std::size_t dash = text.find('-');
  bool has_days = dash != text.npos;
  if (has_days) days = *to_number<std::int64_t>(text.substr(0, dash));
  std::vector<std::int64_t> parts;
  for (std::string_view part : split(text.substr(has_days ? dash + 1 : 0), ':'))
    parts.push_back(*to_number<std::int64_t>(part));
  // Behind days hours come first; alone, a number is minutes, and two are minutes and seconds.
  if (!has_days && parts.size() < 3) parts.insert(parts.begin(), 0);
  parts.resize(3);
  std::chrono::seconds limit{((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2]};
  if (limit.count() == 0) return std::nullopt;  // to Slurm that is no limit
  return limit;
}

bool is_list(KeyType type) { return type == KeyType::words || type == KeyType::texts; }

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "yes" || text == "true" || text == "on") return true;
  if (text == "no" || text == "false" || text == "off") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  auto number = to_number<std::uint64_t>(text);
  if (!number || *number > max_count) return std::nullopt;
  return number;
}

std::optional<double> parse_number(std::string_view text) {
  std::string_view whole = text.substr(0, digits_of(text));
  std::string_view fraction = text.substr(whole.size());
  if (!parse_count(whole)) return std::nullopt;
  if (!fraction.empty() && (fraction[0] != '.' || fraction.size() == 1 || fraction.size() > 10 ||
                            digits_of(fraction.substr(1)) + 1 != fraction.size()))
    return std::nullopt;
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number == 0) return std::nullopt;
  return number;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::int64_t before = INT64_MAX;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::size_t digits = digits_of(text);
    auto number = to_number<std::int64_t>(text.substr(0, digits));
    text.remove_prefix(digits);
    std::size_t letters = static_cast<std::size_t>(std::ranges::find_if(text, is_digit) - text.begin());
    auto unit = milliseconds_in(text.substr(0, letters));
    text.remove_prefix(letters);
    // 1h30min, but not 30min1h, nor 1h30.
    if (!number || !unit || *unit >= before || *number > max_seconds) return std::nullopt;
    if (letters == 0 && before != INT64_MAX) return std::nullopt;
    before = *unit;
    total += *number * *unit;
    if (total > max_seconds * 1000) return std::nullopt;
  }
  return milliseconds(total);
}

std::optional<PortRange> parse_ports(std::string_view text) {
  std::size_t dash = text.find('-');
  auto first = to_number<std::uint16_t>(text.substr(0, dash));
  auto last = dash == text.npos ? first : to_number<std::uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first > *last || (*first == 0 && *last != 0)) return std::nullopt;
  return PortRange{*first, *last};
}

std::optional<std::string> complaint_about(const ProfileKey& key, std::string_view text) {
  bool is_script = key.type == KeyType::script;
  std::size_t limit = is_script ? max_script : max_text;
  std::string subject = std::string(key.path) + " ";
  if (text.size() > limit) {
    return subject + "is longer than " + std::to_string(limit) + " bytes; keep it in a file, and name that";
  }
  if (!is_script && text.find_first_of("\n\t\r") != text.npos) {
    return subject + "holds a line end or a tab ('" + printable(text, 60) + "'); write it in one line";
  }
  if (key.type == KeyType::url) {
    Result<Url> url = parse_url(text);
    if (!url) return subject + "is no URL: " + url.error().message;
    return std::nullopt;
  }
  if (std::string_view found = unexpanded_in(key, text); !found.empty())
    return complaint_about_unexpanded(key, found);
  if (fits(key, text)) return std::nullopt;
  return subject + "must be " + describe(key) + ", not '" + printable(text, 60) + "'; " +
         advice_for(key, text);
}

}  // namespace tenkai
