// Every key that a profile can have, and every cap: what it takes, and what it is for.
//
// A key is known by its path within the profile, "slurm.partition". docs/profiles.md
// shows this table, and a test compares the two.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

// What may stand behind a key. Values stay the text that was typed.
enum class KeyType {
  word,      // no blanks
  text,      // one line
  script,    // any number of lines
  count,     // a decimal number
  number,    // above zero, 2 or 0.5
  threads,   // a count, "auto" or "none"
  choice,    // one of `choices`
  flag,      // yes or no
  duration,  // 90s, 5min, 1h30min; a number alone is seconds
  time,      // as Slurm writes it: 90, 1:30:00, 2-12
  memory,    // 16G
  factor,    // x2, x1.5
  ports,     // 60000 or 60000-61000
  url,
  words,  // a list of words
  texts,  // a list of lines
};

struct ProfileKey {
  std::string_view path;  // "*" as its last name: any name
  KeyType type = KeyType::text;
  std::string_view otherwise;  // the value where nobody says one; empty: none
  std::string_view example;
  std::string_view explanation;
  std::vector<std::string_view> choices = {};
};

using ProfileKeys = std::span<const ProfileKey>;

ProfileKeys profile_keys();
ProfileKeys cap_keys();

// Nothing where the path is no key.
const ProfileKey* find_key(ProfileKeys keys, std::string_view path);

// What a key is called now, where `path` is its name of the version before; empty: it is none.
std::string_view new_name_of(std::string_view path);

// Whether keys stand below the path: "slurm".
bool is_section(ProfileKeys keys, std::string_view path);

// The names directly below a section ("" is the top), in the order of the table.
std::vector<std::string> names_in(ProfileKeys keys, std::string_view section);

// "a word", "a duration (90s, 5min, 1h30min; a number alone is seconds)"
std::string describe(const ProfileKey& key);

// The tables of docs/profiles.md.
std::string keys_as_markdown();

}  // namespace tenkai
