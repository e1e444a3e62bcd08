#include "launcher/profile/keys.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai {
namespace {

// Whether a key of the table is this path; a name in place of '*' must be one that an
// environment variable can have.
bool stands_for(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with(".*")) return pattern == path;
  std::string_view section = pattern.substr(0, pattern.size() - 1);
  if (!path.starts_with(section) || path.size() == section.size()) return false;
  std::string_view name = path.substr(section.size());
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  auto is_part = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return is_letter(name.front()) && std::ranges::all_of(name, is_part);
}

std::string in_table(std::string_view text) {
  std::string cell;
  for (char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string as_code(std::string_view text) { return text.empty() ? "" : "`" + in_table(text) + "`"; }

std::string type_in_table(const ProfileKey& key) {
  switch (key.type) {
    case KeyType::word: return "word";
    case KeyType::text: return "text";
    case KeyType::script: return "script";
    case KeyType::count: return "count";
    case KeyType::number: return "number";
    case KeyType::threads: return "count, `auto`, `none`";
    case KeyType::flag: return "flag";
    case KeyType::duration: return "duration";
    case KeyType::time: return "time";
    case KeyType::memory: return "memory";
    case KeyType::factor: return "factor";
    case KeyType::ports: return "ports";
    case KeyType::url: return "url";
    case KeyType::words: return "list of words";
    case KeyType::texts: return "list of texts";
    case KeyType::choice: break;
  }
  std::vector<std::string> choices;
  for (std::string_view choice : key.choices) choices.push_back(as_code(choice));
  return join(choices, ", ");
}

std::string table_of(ProfileKeys keys) {
  std::string table = "| key | type | if not said | example | |\n|---|---|---|---|---|\n";
  for (const ProfileKey& key : keys) {
    table += "| " + as_code(key.path) + " | " + type_in_table(key) + " | " + as_code(key.otherwise) + " | " +
             as_code(key.example) + " | " + in_table(key.explanation) + " |\n";
  }
  return table;
}

}  // namespace

const ProfileKey* find_key(ProfileKeys keys, std::string_view path) {
  auto found = std::ranges::find_if(keys, [&](const ProfileKey& key) { return stands_for(key.path, path); });
  return found == keys.end() ? nullptr : &*found;
}

std::string_view new_name_of(std::string_view path) {
  return path == "slurm.carrier" ? "slurm.job-tag" : std::string_view();
}

bool is_section(ProfileKeys keys, std::string_view path) {
  std::string below = std::string(path) + ".";
  return std::ranges::any_of(keys, [&](const ProfileKey& key) { return key.path.starts_with(below); });
}

std::vector<std::string> names_in(ProfileKeys keys, std::string_view section) {
  std::string below = section.empty() ? "" : std::string(section) + ".";
  std::vector<std::string> names;
  for (const ProfileKey& key : keys) {
    if (!key.path.starts_with(below)) continue;
    std::string name(key.path.substr(below.size()));
    name.resize(std::min(name.size(), name.find('.')));
    if (name != "*" && (names.empty() || names.back() != name)) names.push_back(name);
  }
  return names;
}

std::string describe(const ProfileKey& key) {
  switch (key.type) {
    case KeyType::word: return "a word without blanks";
    case KeyType::text: return "a text of one line";
    case KeyType::script: return "a text";
    case KeyType::count: return "a whole number in decimal digits";
    case KeyType::number: return "a number above zero (2, 0.5)";
    case KeyType::threads: return "a whole number, 'auto' or 'none'";
    case KeyType::flag: return "yes or no";
    case KeyType::duration: return "a duration (90s, 5min, 1h30min; a number alone is seconds)";
    case KeyType::time: return "a time as Slurm writes it (90, 1:30:00, 2-12)";
    case KeyType::memory: return "an amount of memory (16G, 500M)";
    case KeyType::factor: return "a factor of more than 1, at most 16 (x2, x1.5)";
    case KeyType::ports: return "a port or a range of ports (60000-61000)";
    case KeyType::url: return "a URL (wss://:0)";
    case KeyType::words: return "a list of words";
    case KeyType::texts: return "a list of texts";
    case KeyType::choice: break;
  }
  std::vector<std::string> choices(key.choices.begin(), key.choices.end());
  return "one of " + join(choices, ", ");
}

std::string keys_as_markdown() {
  return "## The keys of a profile\n\n" + table_of(profile_keys()) + "\n## The caps of a site file\n\n" +
         table_of(cap_keys());
}

}  // namespace tenkai
